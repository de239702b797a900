/**
 * Recipe of a direct model (a classifier, whose query is the prompt's counts): the JSON that fixes its rows, inputs,
 * training and rules, so that anyone trains the same bytes. Schema and parser; the family of language models has its
 * own in models/.
 */
import { MAX_LABELS } from "@openledger/circuits/ledger/direct-query";
import { z } from "zod";
import { reservedBuckets } from "../../features/direct-base.ts";
import { inputsProblem, inputsSchema } from "../../inputs/model-inputs.ts";
import { checkedRecipe, DIRECT, recipeFields } from "../recipe-fields.ts";
import { EQUAL_WEIGHT, MAX_WEIGHT, MIN_WEIGHT } from "./label-weights.ts";

/** A real number above 0: decay and damping are each a λ, the tolerance is that of lbfgs.ts. */
const rate = z.number().positive();
const { thresholdPermille: _, ...rules } = recipeFields.rules.shape;

/** A direct model's recipe (docs/explanation/attribution-proof.md). Its fields are published in this order. */
const directFields = z.strictObject({
  version: recipeFields.version,
  family: z.literal(DIRECT),
  datanet: recipeFields.datanet,
  furtherDatanets: recipeFields.furtherDatanets,
  /** Kind of the rows (row-kinds.ts), and the way inputs become counts. */
  inputs: inputsSchema,
  /** Labels that the model tells apart, in the card's order. */
  classes: z
    .array(z.string().min(1).max(60))
    .min(2)
    .max(MAX_LABELS)
    .refine((names) => new Set(names).size === names.length, "has a label twice"),
  seed: recipeFields.seed,
  model: z.strictObject({
    kind: z.literal("logistic"),
    decay: rate,
    tolerance: rate,
    /** Weight of a row's loss by its label, in thousandths, in the order of `classes`. Absent: each row weighs the same. */
    labelWeights: z.array(z.number().int().min(MIN_WEIGHT).max(MAX_WEIGHT)).optional(),
    /** Measure that a text's weight in the loss goes by (rows/term-parts.ts), beside its label's. Absent: each row weighs the same. */
    rowWeights: z.literal("terms").optional(),
  }),
  method: z.strictObject({ kind: z.literal("direct"), damping: rate }),
  rules: z.strictObject({
    ...rules,
    /** Measure that a text's part of the base goes by (rows/term-parts.ts). Absent: every row has the whole of it. */
    baseBy: z.literal("terms").optional(),
  }),
  /** Buckets and the bias. */
  columnCount: z.number().int().positive(),
  terms: recipeFields.terms,
});

const directSchema = directFields
  .refine(({ columnCount, inputs }) => columnCount === inputs.bucketCount + 1, {
    path: ["columnCount"],
    message: "is one more than the buckets: the bias has a column, too",
  })
  .refine(
    ({ datanet, furtherDatanets = [] }) =>
      [datanet, ...furtherDatanets].every(({ labels }) => labels !== undefined),
    {
      path: ["datanet", "labels"],
      message: "is the root of the version's accepted labels, which each version needs",
    },
  )
  .refine(
    ({ classes, model: { labelWeights } }) =>
      labelWeights === undefined || labelWeights.length === classes.length,
    { path: ["model", "labelWeights"], message: "has another number of weights than there are labels" },
  )
  .refine(({ model: { labelWeights } }) => labelWeights?.every((one) => one === EQUAL_WEIGHT) !== true, {
    path: ["model", "labelWeights"],
    message: "is left out where all labels weigh the same",
  })
  .refine(
    ({ inputs, rules: { base, baseBy } }) =>
      baseBy === undefined || (inputs.kind === "text" && base !== undefined),
    { path: ["rules", "baseBy"], message: "is for texts with a base" },
  )
  .refine(({ inputs, model: { rowWeights } }) => rowWeights === undefined || inputs.kind === "text", {
    path: ["model", "rowWeights"],
    message: "is for texts",
  })
  .superRefine((recipe, context) => {
    const message = inputsProblem(recipe.inputs, { baseBuckets: reservedBuckets(recipe) });
    if (message !== null) context.addIssue({ code: "custom", path: ["inputs"], message });
  });

export type DirectRecipe = z.infer<typeof directSchema> & {
  readonly rules: { readonly thresholdPermille?: undefined };
};

/** Checks a recipe's JSON. @throws ATT_RECIPE_INVALID */
export function parseDirectRecipe(json: unknown): DirectRecipe {
  return checkedRecipe(directSchema, json);
}
