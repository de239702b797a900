/** What every recipe says, of whatever family. A family adds what its models are made of. */
import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";
import { MAX_FEATURE_COUNT } from "../features/quantise.ts";

const count = z.number().int().positive();

/**
 * A recipe is everything that the bytes of a model depend on, beside the rows. The same recipe and the same rows give
 * the same bytes on every machine. Constants of the method that stand in no field belong to `version`.
 */
export const recipeFields = {
  version: z.literal(2),
  /** The rows: a published version of a datanet, with the root that the ledger holds for it. */
  datanet: z.strictObject({
    id: count.max(0xffffff),
    version: count.max(0xffffffff),
    rowsRoot: z.string().regex(/^0x[0-9a-f]{64}$/),
  }),
  seed: z.string().min(1).max(64),
  /** Rules against gaming, applied to the features before they are rounded (docs/attribution-methods.md). */
  rules: z.strictObject({
    /** No row is longer than this quantile of all rows' lengths; 1 = no limit. */
    normQuantile: z.number().positive().max(1),
    /** Whether rows that are nearly equal, in the version's order, share one reward. */
    nearDuplicatesShare: z.boolean(),
  }),
  /** d: columns of G, exactly those of the settlement circuit; features beyond the family's own are zero. */
  columnCount: count.max(MAX_FEATURE_COUNT),
} as const;

const baseSchema = z.object(recipeFields);

export interface RecipeBase extends z.infer<typeof baseSchema> {
  /** Absent in a classifier's recipe. */
  readonly family?: string;
}

/**
 * A recipe as its family's schema has it. One that names `method.featureCount` has a column for each feature.
 * @throws ATT_RECIPE_INVALID
 */
export function checkedRecipe<Recipe extends RecipeBase>(schema: z.ZodType<Recipe>, json: unknown): Recipe {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw attributionError("ATT_RECIPE_INVALID", z.prettifyError(parsed.error), {
      data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })) },
      cause: parsed.error,
    });
  }
  const { columnCount, method } = parsed.data as RecipeBase & { method?: { featureCount?: number } };
  const featureCount = method?.featureCount ?? 0;
  if (featureCount > columnCount) {
    throw attributionError(
      "ATT_RECIPE_INVALID",
      `${featureCount} features do not fit ${columnCount} columns`,
      {
        data: { featureCount, columnCount },
      },
    );
  }
  return parsed.data;
}
