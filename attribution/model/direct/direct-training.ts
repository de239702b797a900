/**
 * Training of direct models (logistic, of texts or pictures), and the int16 matrix B of rows' influence that they
 * register (docs/explanation/attribution-proof.md). Training jobs call it, and whoever verifies a model trains again
 * by it.
 */
import { MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/scores/direct-matrix";
import { writeBase } from "../../features/direct-base.ts";
import { type DirectFeatures, directRows, quantiseDirect } from "../../features/direct-rows.ts";
import type { OnProgress } from "../../progress.ts";
import { IMAGE_SIDE } from "../../rows/image-pixels.ts";
import { nearDuplicates } from "../../rows/near-duplicates.ts";
import { clipRowNorms, clusterSizes, shareNearDuplicates } from "../../rows/row-rules.ts";
import { type DecodedRows, decodeRows } from "../decoded-rows.ts";
import type { FamilyTraining, TrainedModel, TrainOptions } from "../model-family.ts";
import { checkRowsRoot, type OwnedRow, payeeTable } from "../owned-rows.ts";
import { requireRows } from "../trainable.ts";
import { type DirectParts, directFamily, directModel, logitRow } from "./direct-family.ts";
import { directInputs } from "./direct-inputs.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";

export const directTraining: FamilyTraining<DirectParts> = {
  family: directFamily,
  requireTrainable(rows, recipe) {
    requireRows(rows, recipe);
  },
  async train(rows, recipe, options) {
    return trainDirect(rows, recipe, options);
  },
  features: async ({ parameters, recipe }, rows, options) =>
    directFeatures(parameters, directDecoded(rows, recipe), recipe, options),
  describe: ({ accuracy }) =>
    `it labels ${(100 * (accuracy ?? 0)).toFixed(1)} % of its rows as was accepted; a settlement proves its answers`,
};

/**
 * Trains the recipe's model on the version's rows and computes B. Deterministic to the byte. Needs `initPoseidon`.
 * @throws ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH, ATT_LABEL_INVALID, ATT_ROW_INVALID, ATT_DUPLICATE_ROW, ATT_RECIPE_INVALID
 */
export function trainDirect(
  rows: readonly OwnedRow[],
  unchecked: DirectRecipe,
  options: Pick<TrainOptions, "onProgress"> = {},
): TrainedModel<DirectParts> {
  const recipe = parseDirectRecipe(unchecked);
  const payees = payeeTable(rows);
  checkRowsRoot(rows, recipe);
  const examples = directDecoded(rows, recipe);
  const parameters = directModel(recipe).train(examples, options);
  const features = directFeatures(parameters, examples, recipe, options);
  const { answer } = directInputs(recipe);
  const logit = logitRow(recipe, parameters);
  const right = examples.prompts.filter((prompt, i) => answer(logit, prompt).label === rows[i]!.label);
  return {
    family: directFamily,
    recipe,
    rows,
    payees,
    parameters,
    features,
    accuracy: right.length / rows.length,
  };
}

function directDecoded(rows: readonly OwnedRow[], recipe: DirectRecipe): DecodedRows {
  return decodeRows(rows, recipe, directInputs(recipe).examples);
}

function comparable({ contents, labels }: DecodedRows, { inputs }: DirectRecipe) {
  if (inputs.kind === "text") return { contents, labels, kind: "text" } as const;
  return { contents, labels, kind: "image", width: IMAGE_SIDE, height: IMAGE_SIDE } as const;
}

/** Rows' exact influence under the recipe's rules, as integers, and the row of the logit. */
function directFeatures(
  parameters: Float64Array,
  rows: DecodedRows,
  recipe: DirectRecipe,
  options: { onProgress?: OnProgress | undefined },
): DirectFeatures {
  const { method, rules } = recipe;
  const featureCount = recipe.columnCount;
  const rowCount = rows.labels.length;
  let ruled = directRows(directModel(recipe).sensitivities(parameters, rows), method.damping, {
    ...options,
    featureCount,
    writeRow: directInputs(recipe).writeRow,
  });
  const duplicates = rules.nearDuplicatesShare ? nearDuplicates(comparable(rows, recipe)) : [];
  if (rules.nearDuplicatesShare) ruled = shareNearDuplicates(ruled, featureCount, duplicates);
  if (rules.normQuantile < 1) ruled = clipRowNorms(ruled, featureCount, rules.normQuantile);
  const { scale, values: integers } = quantiseDirect(ruled, MAX_DIRECT_ENTRY);
  const values = new Int16Array((rowCount + 1) * featureCount);
  values.set(integers);
  if (rules.base !== undefined)
    writeBase(values, featureCount, rules.base, clusterSizes(rowCount, duplicates));
  values.set(logitRow(recipe, parameters), rowCount * featureCount);
  return { values, rowCount, featureCount, scale };
}
