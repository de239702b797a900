import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";
import { MAX_FEATURE_COUNT } from "../features/quantise.ts";

const count = z.number().int().positive();
const rate = z.number().positive();
const fieldElement = z.string().regex(/^0x[0-9a-f]{64}$/);

/**
 * Everything that the bytes of a model depend on, beside the rows. The same recipe and the same rows give the same
 * bytes on every machine. Constants of the method that stand in no field belong to `version`.
 */
const recipeSchema = z.strictObject({
  version: z.literal(2),
  /** The rows: a published version of a datanet, with the root that the ledger holds for it. */
  datanet: z.strictObject({
    id: count.max(0xffffff),
    version: count.max(0xffffffff),
    rowsRoot: fieldElement,
  }),
  /** What the rows are (row-content.ts), and how inputs become numbers. */
  inputs: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("email"), bucketCount: count.max(65_536) }),
    z.strictObject({ kind: z.literal("digit"), side: z.union([z.literal(14), z.literal(28)]) }),
  ]),
  seed: z.string().min(1).max(64),
  model: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("logistic"), decay: rate, tolerance: rate }),
    z.strictObject({
      kind: z.literal("mlp"),
      hiddenCount: count.max(1024),
      decay: rate,
      epochs: count,
      batchSize: count,
      rate,
      momentum: z.number().min(0).max(0.999),
    }),
  ]),
  method: z.strictObject({
    kind: z.literal("influence"),
    damping: rate,
    /** A power of two; the features that are computed. */
    featureCount: count.max(MAX_FEATURE_COUNT),
  }),
  /** Rules against gaming, applied to the features before they are rounded (docs/attribution-methods.md). */
  rules: z.strictObject({
    /** No row is longer than this quantile of all rows' lengths; 1 = no limit. */
    normQuantile: z.number().positive().max(1),
    /** Whether rows that are nearly equal, in the version's order, share one reward. */
    nearDuplicatesShare: z.boolean(),
  }),
  /** d: columns of G, exactly those of the settlement circuit; features beyond `featureCount` are zero. */
  columnCount: count.max(MAX_FEATURE_COUNT),
});

export type Recipe = z.infer<typeof recipeSchema>;

/** @throws ATT_RECIPE_INVALID */
export function parseRecipe(json: unknown): Recipe {
  const parsed = recipeSchema.safeParse(json);
  if (!parsed.success) {
    throw attributionError("ATT_RECIPE_INVALID", z.prettifyError(parsed.error), {
      data: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })) },
      cause: parsed.error,
    });
  }
  const { method, columnCount } = parsed.data;
  if (method.featureCount > columnCount) {
    throw attributionError(
      "ATT_RECIPE_INVALID",
      `${method.featureCount} features do not fit ${columnCount} columns`,
      { data: { featureCount: method.featureCount, columnCount } },
    );
  }
  return parsed.data;
}

/** SHA-256 of the recipe as JSON with sorted keys. */
export function hashRecipe(recipe: Recipe): string {
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
