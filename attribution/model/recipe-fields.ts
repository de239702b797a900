/**
 * Recipe fields that every family (kind of model) has; a family adds the fields of its models (direct-recipe.ts,
 * models/). Parsers of recipes build on them, readers of any model rely on them.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { isDirectQuery, type ModelQuery } from "@openledger/circuits/ledger/model-query";
import { DATANET_COUNT_MAX } from "@openledger/circuits/protocol";
import { columnShape } from "@openledger/circuits/settlement/settlement-size";
import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";
import { MAX_FEATURE_COUNT, MAX_QUERY } from "../features/quantise.ts";

const count = z.number().int().positive();
const root = z.string().regex(/^0x[0-9a-f]{64}$/);
/** A published version of a Datanet, with the root that the ledger holds for it. */
const versionSchema = z.strictObject({
  id: count.max(0xffffff),
  version: count.max(0xffffffff),
  rowsRoot: root,
  /** Root of the rows' accepted labels (rows/accepted-labels.ts). Absent: the model reads none. */
  labels: root.optional(),
});
export type RecipeVersion = z.infer<typeof versionSchema>;

/** Uses of a model: shared with nobody, its files given to anyone, answers for pay (and files to anyone). */
export const MODEL_USES = ["own", "shared", "paid"] as const;
export type ModelUse = (typeof MODEL_USES)[number];
/** Maximum different terms of a model's rows, and rows that are named of each. */
const MAX_ROW_TERMS = 64;
export const MAX_NAMED_ROWS = 5;

/** Rows of a model under the same terms (datanets/terms/terms-rule.ts reads them). */
export const rowTermsSchema = z.strictObject({
  datanet: count.max(0xffffff),
  /** SPDX expression, with what the rule writes beside a card's, or free text of an earlier card. */
  licence: z.string().min(1).max(280),
  /** Text of the terms file that the licence names by its hash. Absent: it names none. */
  file: z.string().min(1).max(8_192).optional(),
  /** True: each row's contributor has signed these terms. False: they are those of the Datanet's card. */
  isSigned: z.boolean(),
  rowCount: count,
  /** SHA-256 of the first rows under these terms. */
  firstRows: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MAX_NAMED_ROWS),
});
export type RowTerms = z.infer<typeof rowTermsSchema>;

const termsSchema = z
  .strictObject({
    use: z.enum(MODEL_USES),
    /** The model's licence, one SPDX identifier; null: none is given. */
    licence: z.string().min(1).max(100).nullable(),
    rows: z.array(rowTermsSchema).min(1).max(MAX_ROW_TERMS),
  })
  .refine(({ licence, use }) => use !== "own" || licence === null, {
    path: ["licence"],
    message: "is null for a model that is shared with nobody",
  });
/** Terms of a model: its use and licence, and the terms of the rows that they follow from. */
export type ModelTerms = z.infer<typeof termsSchema>;

/**
 * A recipe is everything that the bytes of a model depend on, beside the rows. The same recipe and the same rows give
 * the same bytes on every machine. Constants of the method that stand in no field belong to `version`.
 */
export const recipeFields = {
  version: z.literal(2),
  /** The rows: Datanet 0's version. */
  datanet: versionSchema,
  /** Further Datanets of a model of several; their rows follow in this order. Absent: one Datanet. */
  furtherDatanets: z
    .array(versionSchema)
    .min(1)
    .max(DATANET_COUNT_MAX - 1)
    .optional(),
  seed: z.string().min(1).max(64),
  /**
   * Rules against gaming, applied to the features before they are rounded (docs/explanation/attribution-methods.md).
   */
  rules: z.strictObject({
    /** No row is longer than this quantile of all rows' lengths; 1 = no limit. */
    normQuantile: z.number().positive().max(1),
    /** True: rows that are nearly equal, in the version's order, share one reward. */
    nearDuplicatesShare: z.boolean(),
    /** Version of the comparison that finds them (rows/row-rules.ts). Absent: the first one. */
    comparison: z.literal(2).optional(),
    /** Base of a row's reward (base-column.ts), as the Datanet's card sets it. Absent: none, and old models. */
    base: z.strictObject({ flatPermille: count.max(1_000) }).optional(),
    /**
     * Threshold in thousandths of a typical score, in the base's columns: a row is paid for its score above it. Absent:
     * 0.
     */
    thresholdPermille: count.max(1_000).optional(),
  }),
  /**
   * d: columns of G, exactly those of the settlement circuit. Beyond the family's own they are the base, or zero where
   * there is none.
   */
  columnCount: count.max(MAX_FEATURE_COUNT),
  /** Use and licence of the model, which its rows' terms allow. Absent: nobody has looked at the rows' terms. */
  terms: termsSchema.optional(),
} as const;

const baseSchema = z.object(recipeFields);

export interface RecipeBase extends z.infer<typeof baseSchema> {
  readonly family: string;
  /** Labels of a classifier. */
  readonly classes?: readonly string[] | undefined;
  /**
   * Part of payments that goes by citation, by the card, for a language model that cites rows. Its rules hold for the
   * payments by influence.
   */
  readonly retrieval?: { readonly citationPermille: number } | undefined;
}

/** The versions that a model's rows come from, Datanet 0's first. */
export const versionsOf = ({
  datanet,
  furtherDatanets = [],
}: Pick<RecipeBase, "datanet" | "furtherDatanets">): readonly RecipeVersion[] => [
  datanet,
  ...furtherDatanets,
];

/** The family of direct models: it names how a model is settled, too. */
export const DIRECT = "direct";

/**
 * A model's columns as its settlement circuit counts them: a direct one names its buckets, and has the bias besides.
 */
export function circuitColumns({ columnCount, family }: Pick<RecipeBase, "columnCount" | "family">): {
  readonly features: number;
  readonly isDirect?: true;
} {
  return family === DIRECT ? { features: columnCount - 1, isDirect: true } : { features: columnCount };
}

/**
 * Columns that a model registers: those of a classifier are so many for each label but the first, which the others are
 * compared with.
 */
export const registeredColumns = ({
  classes = [],
  columnCount,
}: Pick<RecipeBase, "classes" | "columnCount">): number => columnCount * Math.max(1, classes.length - 1);

/** Shape of a model's columns in the binding of its statics: it decides which settlement circuits fit. */
export function boundColumns(recipe: Pick<RecipeBase, "columnCount" | "family">): bigint {
  return columnShape(circuitColumns(recipe));
}

/**
 * A query's entry in all columns beyond the family's own: a constant of the model, since the statics bind the recipe.
 */
export function restOfQuery({ rules }: Pick<RecipeBase, "rules">): number {
  return hasBaseColumns(rules) ? MAX_QUERY : 1;
}

/** Base columns of a model that cites rows: an even number, so that a query which pays by citation has them cancel. */
const CITING_BASE_COLUMNS = 2;

/** Number of base columns of a model that cites rows, behind its features. Other models take all columns that are left. */
export const citingBaseColumns = ({ rules }: Pick<RecipeBase, "rules">): number =>
  hasBaseColumns(rules) ? CITING_BASE_COLUMNS : 0;

const hasBaseColumns = ({ base, thresholdPermille }: RecipeBase["rules"]): boolean =>
  base !== undefined || thresholdPermille !== undefined;

/**
 * Returns true if a query has the model's entry in all of its base columns, or the model has no base. No answer of this
 * model made any other query: its payer chose it.
 */
export function isQueryOfBase(recipe: RecipeBase, query: ModelQuery): boolean {
  if (!hasBaseColumns(recipe.rules) || isDirectQuery(query)) return true;
  const { method } = recipe as RecipeBase & { method?: { featureCount?: number } };
  const featureCount = method?.featureCount ?? 0;
  const isOfBase = (entry: number) => entry === MAX_QUERY;
  if (recipe.retrieval === undefined) return query.subarray(featureCount).every(isOfBase);
  const ofInfluence = query.subarray(0, featureCount + CITING_BASE_COLUMNS);
  // Where citation pays, neither features nor base do.
  return ofInfluence.subarray(featureCount).every(isOfBase) || ofInfluence.every((entry) => entry ** 2 === 1);
}

/** Reads terms of a recipe that is not complete yet. @throws ATT_RECIPE_INVALID */
export function parseTerms(json: unknown): ModelTerms {
  const parsed = termsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalidRecipe(parsed.error, "terms");
}

const termsOfRecipeSchema = baseSchema
  .pick({ datanet: true, furtherDatanets: true, terms: true })
  .extend({ retrieval: z.object({ citationPermille: z.number() }).optional() });

/** Reads what the rule of terms needs of a recipe of any family. @throws ATT_RECIPE_INVALID */
export function parseRecipeTerms(
  json: unknown,
): Pick<RecipeBase, "datanet" | "furtherDatanets" | "retrieval" | "terms"> {
  const parsed = termsOfRecipeSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalidRecipe(parsed.error);
}

/**
 * Checks a recipe by its family's schema. One that names `method.featureCount` has a column for each feature, and one
 * of several Datanets names each once.
 * @throws ATT_RECIPE_INVALID
 */
export function checkedRecipe<Recipe extends RecipeBase>(schema: z.ZodType<Recipe>, json: unknown): Recipe {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw invalidRecipe(parsed.error);
  const ids = versionsOf(parsed.data).map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) {
    const message = `datanet ${twice} is named twice`;
    const data = { issues: [{ path: "furtherDatanets", message }] };
    throw attributionError("ATT_RECIPE_INVALID", message, { data });
  }
  const { columnCount, method } = parsed.data as RecipeBase & { method?: { featureCount?: number } };
  const featureCount = method?.featureCount ?? 0;
  const baseCount = hasBaseColumns(parsed.data.rules) ? 1 : 0;
  if (featureCount + baseCount > columnCount) {
    throw attributionError(
      "ATT_RECIPE_INVALID",
      `${featureCount} features${baseCount === 1 ? " and a base" : ""} do not fit ${columnCount} columns`,
      {
        data: { featureCount, columnCount },
      },
    );
  }
  return parsed.data;
}

/** @param within field of the recipe that was read alone */
function invalidRecipe(cause: z.ZodError, within?: string) {
  const issues = cause.issues.map(({ path, message }) => ({
    path: [...(within === undefined ? [] : [within]), ...path].join("."),
    message,
  }));
  return attributionError("ATT_RECIPE_INVALID", z.prettifyError(cause), { data: { issues }, cause });
}

/** SHA-256 of the recipe as JSON with sorted keys. */
export function hashRecipe(recipe: RecipeBase): string {
  return bytesToHex(sha256(new TextEncoder().encode(JSON.stringify(sortKeys(recipe)))));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
