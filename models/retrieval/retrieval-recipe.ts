import { checkedRecipe, recipeFields } from "@openledger/attribution/model/recipe-fields";
import { z } from "zod";

const count = z.number().int().positive();

/** A retrieval model's recipe. Published in this order. */
const retrievalRecipeSchema = z.strictObject({
  version: recipeFields.version,
  family: z.literal("retrieval"),
  datanet: recipeFields.datanet,
  /** What rows hold: attribution/rows/text-rows.ts, or row-content.ts. */
  rows: z.enum(["text", "email"]),
  seed: recipeFields.seed,
  embedding: z.strictObject({
    kind: z.literal("lexical"),
    /** Words are counted in 2^bucketBits buckets. */
    bucketBits: count.min(8).max(20),
  }),
  threshold: z.strictObject({
    /** Of random pairs of a row and a part of another one, so many score no more than the threshold. */
    quantile: z.number().min(0.5).max(0.999_999),
    /** Columns of 127, beside one of 1 (threshold-columns.ts). */
    columns: count.multipleOf(2).max(128),
  }),
  /** Rows that one answer cites and pays, at most. */
  citationCount: count.max(64),
  /** No base: it would pay rows that the threshold leaves out. */
  rules: z.strictObject({
    ...recipeFields.rules.omit({ base: true }).shape,
    /** A threshold cannot be shared: near-duplicates are left out of the version instead. */
    nearDuplicatesShare: z.literal(false),
  }),
  columnCount: recipeFields.columnCount.min(16),
});
export type RetrievalRecipe = z.infer<typeof retrievalRecipeSchema>;

/** @throws ATT_RECIPE_INVALID */
export function parseRetrievalRecipe(json: unknown): RetrievalRecipe {
  const recipe = checkedRecipe(retrievalRecipeSchema, json);
  // The embedding has what the threshold leaves.
  return checkedRecipe(
    z.custom<RetrievalRecipe>(() => dimensionsOf(recipe) >= 8, {
      error: `threshold.columns is ${recipe.threshold.columns}, which leaves fewer than 8 of ${recipe.columnCount} columns to the rows`,
    }),
    recipe,
  );
}

/** Columns of G that are the rows' embedding. */
export function dimensionsOf({
  columnCount,
  threshold,
}: Pick<RetrievalRecipe, "columnCount" | "threshold">): number {
  return columnCount - threshold.columns - 1;
}
