import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { MAX_FEATURE_COUNT } from "../features/quantise.ts";
import { checkedRecipe, type RecipeBase, recipeFields } from "./recipe-fields.ts";

const count = z.number().int().positive();
/** One transaction of L1 reads no more (contracts/disputes/Postings.sol). */
const MOST_CHALLENGED_BUCKETS = 4_096;
const MOST_CHALLENGED_COLUMNS = 384;
const rate = z.number().positive();

/** A classifier's recipe. Its fields are published in this order. */
const recipeFieldsOfClassifier = z.strictObject({
  version: recipeFields.version,
  datanet: recipeFields.datanet,
  /** What the rows are (row-content.ts), and how inputs become numbers. */
  inputs: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("email"), bucketCount: count.max(65_536) }),
    z.strictObject({ kind: z.literal("digit"), side: z.union([z.literal(14), z.literal(28)]) }),
  ]),
  seed: recipeFields.seed,
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
  rules: recipeFields.rules,
  columnCount: recipeFields.columnCount,
  /** The statics promise a posting that anyone may refute, before the model's genesis (docs/explanation/disputes.md). */
  isChallengeable: z.literal(true).optional(),
});

const recipeSchema = recipeFieldsOfClassifier.refine(
  ({ columnCount, inputs, isChallengeable, model, rules }) =>
    isChallengeable === undefined ||
    // No challenge computes held-out models, so none could refute a false base.
    (rules.base === undefined &&
      model.kind === "logistic" &&
      inputs.kind === "email" &&
      inputs.bucketCount <= MOST_CHALLENGED_BUCKETS &&
      columnCount <= MOST_CHALLENGED_COLUMNS),
  {
    path: ["isChallengeable"],
    message:
      "only logistic models of e-mails in at most 4,096 buckets and 384 columns, without a base, have challenges",
  },
);

export type Recipe = z.infer<typeof recipeSchema>;

/** @throws ATT_RECIPE_INVALID */
export function parseRecipe(json: unknown): Recipe {
  return checkedRecipe(recipeSchema, json);
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
