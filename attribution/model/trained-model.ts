import { alignColumns } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import type { QuantisedFeatures } from "../features/quantise.ts";
import { mapFeatures, type QueryMap } from "../features/query-map.ts";
import { usedColumns } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { PIXEL_COUNT } from "../rows/mnist-digits.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { inputRows, labelsOf } from "../rows/row-content.ts";
import { modelOf } from "./classifier.ts";
import { type ClassifierParts, classifierFamily } from "./classifier-family.ts";
import { type DecodedRows, decodeRows } from "./decoded-rows.ts";
import { foldsOfContributors, heldOut } from "./held-out-odds.ts";
import { accuracy, type Examples, type Model } from "./model.ts";
import type { FamilyTraining, Trained } from "./model-family.ts";
import { checkRowsRoot, earnerTable, type OwnedRow } from "./owned-rows.ts";
import { parseRecipe, type Recipe } from "./recipe.ts";
import { registeredFeatures } from "./registered-features.ts";
import { requireTrainable, rowFacts } from "./trainable.ts";

export type TrainedModel = Trained<ClassifierParts> & {
  readonly accuracy: number;
  readonly features: QuantisedFeatures;
};

/** How classifiers are made of rows, for those that know several families. */
export const classifierTraining: FamilyTraining<ClassifierParts> = {
  family: classifierFamily,
  requireTrainable(contents, recipe) {
    requireTrainable(rowFacts(contents, recipe.inputs), recipe);
  },
  train: async (rows, recipe, options) => trainModel(rows, recipe, options),
  async features({ map, parameters, recipe }, rows, options) {
    return rowFeatures(modelOf(recipe), parameters, map, classifierRows(rows, recipe), recipe, options);
  },
  describe: ({ accuracy: part }) =>
    `it labels ${(100 * (part ?? 0)).toFixed(1)} % of its rows as their contributors did`,
};

/**
 * Trains the recipe's model on the version's rows and computes G. Deterministic to the byte.
 * Needs `initPoseidon`: the rows are compared with the root that the recipe names.
 * @throws ATT_ROWS_MISMATCH, ATT_ROW_INVALID, ATT_DUPLICATE_ROW, ATT_RECIPE_INVALID
 */
export function trainModel(
  rows: readonly OwnedRow[],
  unchecked: Recipe,
  options: { onProgress?: OnProgress } = {},
): TrainedModel {
  const recipe = parseRecipe(unchecked);
  const earners = earnerTable(rows);
  checkRowsRoot(rows, recipe);
  const examples = classifierRows(rows, recipe);
  const model = modelOf(recipe);
  const parameters = model.train(examples, options);
  const map = fitQueryMap(model, parameters, examples, recipe, options);
  return {
    family: classifierFamily,
    recipe,
    rows,
    earners,
    parameters,
    map,
    features: rowFeatures(model, parameters, map, examples, recipe, options),
    accuracy: accuracy(model, parameters, examples),
  };
}

/** @throws ATT_ROW_INVALID naming the first row that is none, ATT_DUPLICATE_ROW */
function classifierRows(rows: readonly OwnedRow[], { inputs }: Recipe): DecodedRows {
  return decodeRows(rows, inputs.kind, (texts) => inputRows(inputs, texts));
}

/** G from trained parameters and the map, without training: what the rules make of the rows' features, as int8. */
function rowFeatures(
  model: Model,
  parameters: Float64Array,
  map: QueryMap,
  rows: DecodedRows,
  recipe: Recipe,
  options: { onProgress?: OnProgress },
): QuantisedFeatures {
  const features = mapFeatures(map, model.sensitivities(parameters, rows));
  return registeredFeatures(features, recipe.method.featureCount, recipe, {
    duplicates: () => nearDuplicates(comparable(rows, recipe)),
    odds: () =>
      heldOut(model, rows, {
        ...foldsOfContributors(rows.contributorIds),
        classCount: labelsOf(recipe.inputs.kind).length,
        // A convex loss has one optimum, so the start only saves time. A perceptron would remember the rows held out.
        ...(recipe.model.kind === "logistic" ? { start: parameters } : {}),
        ...options,
      }).odds,
  });
}

function comparable({ contents, labels }: DecodedRows, { inputs }: Recipe) {
  if (inputs.kind === "email") return { contents, labels, kind: "text" } as const;
  const side = Math.sqrt(PIXEL_COUNT);
  return { contents, labels, kind: "image", width: side, height: side } as const;
}

function fitQueryMap(
  model: Model,
  parameters: Float64Array,
  examples: Examples,
  { method, seed }: Recipe,
  options: { onProgress?: OnProgress },
): QueryMap {
  const sensitivities = model.sensitivities(parameters, examples);
  const { rows } = alignColumns(sensitivities, sensitivities);
  return {
    usedInputs: sensitivities.layers.map(({ inputs }) => {
      const { position } = usedColumns(inputs);
      return Int32Array.from([...position.keys()].filter((input) => position[input]! >= 0));
    }),
    linear: featureMap(rows, { ...method, seed, ...options }).linear,
  };
}
