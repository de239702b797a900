/**
 * Recipe of a direct model (logistic, of e-mails or digits): the JSON that fixes its rows, inputs, training and rules,
 * so that anyone trains the same bytes. Schema and parser; the family of language models has its own in models/.
 */
import { areBuckets } from "@openledger/circuits/ledger/direct-query";
import { z } from "zod";
import { BASE_BUCKETS, termBucketCount } from "../../features/direct-base.ts";
import { checkedRecipe, DIRECT, recipeFields } from "../recipe-fields.ts";
import { blockBuckets } from "./digit-blocks.ts";

/** A real number above 0: decay and damping are each a λ, the tolerance is that of lbfgs.ts. */
const rate = z.number().positive();
const bucketCount = z.number().int().refine(areBuckets, "must be a multiple of 16, at most 4,096");
const { thresholdPermille: _, ...rules } = recipeFields.rules.shape;

/** A direct model's recipe (docs/explanation/attribution-proof.md). Its fields are published in this order. */
const directFields = z.strictObject({
  version: recipeFields.version,
  family: z.literal(DIRECT),
  datanet: recipeFields.datanet,
  furtherDatanets: recipeFields.furtherDatanets,
  /** Kind of the rows (row-content.ts), and the way inputs become counts. */
  inputs: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("email"), bucketCount }),
    z.strictObject({ kind: z.literal("digit"), side: z.union([z.literal(7), z.literal(14)]), bucketCount }),
  ]),
  seed: recipeFields.seed,
  model: z.strictObject({ kind: z.literal("logistic"), decay: rate, tolerance: rate }),
  method: z.strictObject({ kind: z.literal("direct"), damping: rate }),
  rules: z.strictObject(rules),
  /** Buckets and the bias. */
  columnCount: z.number().int().positive(),
});

const directSchema = directFields
  .refine(({ columnCount, inputs }) => columnCount === inputs.bucketCount + 1, {
    path: ["columnCount"],
    message: "is one more than the buckets: the bias has a column, too",
  })
  .refine(
    ({ inputs, rules }) =>
      termBucketCount({ inputs, rules }) >= (inputs.kind === "email" ? 1 : blockBuckets(inputs.side)),
    {
      path: ["inputs", "bucketCount"],
      message: `pictures need ${blockBuckets(7)} buckets for a side of 7, ${blockBuckets(14)} for one of 14, and a base ${BASE_BUCKETS}`,
    },
  );

export type DirectRecipe = z.infer<typeof directSchema> & {
  readonly rules: { readonly thresholdPermille?: undefined };
};

/** Checks a recipe's JSON. @throws ATT_RECIPE_INVALID */
export function parseDirectRecipe(json: unknown): DirectRecipe {
  return checkedRecipe(directSchema, json);
}
