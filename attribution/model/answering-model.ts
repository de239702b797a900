import { attributionError } from "../attribution-errors.ts";
import { mapQueries, type QueryMap } from "../features/query-map.ts";
import { exactExp } from "../maths/exact-math.ts";
import { inputRows, labelsOf } from "../rows/row-content.ts";
import { modelOf } from "./classifier.ts";
import type { AnsweringModel } from "./model-family.ts";
import type { Recipe } from "./recipe.ts";
import { restOfQuery } from "./recipe-fields.ts";

/** Needs only what is published, not the rows. @throws ATT_MODEL_FILE_INVALID where the parts do not fit together */
export function answeringModel(parts: {
  readonly recipe: Recipe;
  readonly parameters: Float64Array;
  readonly map: QueryMap;
}): AnsweringModel<Int16Array> {
  const { recipe, parameters, map } = parts;
  const model = modelOf(recipe);
  if (parameters.length !== model.parameterCount) {
    throw attributionError(
      "ATT_MODEL_FILE_INVALID",
      `${parameters.length} parameters, but the recipe's model has ${model.parameterCount}`,
      { data: { file: "parameters.bin", given: parameters.length, expected: model.parameterCount } },
    );
  }
  const labels = labelsOf(recipe.inputs.kind);
  return {
    answer(prompt) {
      const inputs = inputRows(recipe.inputs, [prompt]);
      const [label] = model.predict(parameters, { inputs, labels: Int32Array.of(0) });
      const answered = { inputs, labels: Int32Array.of(label!) };
      const [loss] = model.losses(parameters, answered);
      const confidence = Number(exactExp(-loss!).toFixed(4));
      const [query] = mapQueries(
        map,
        model.sensitivities(parameters, answered),
        recipe.columnCount,
        restOfQuery(recipe),
      );
      return {
        label: labels[label!]!,
        confidence,
        text: JSON.stringify({ label: labels[label!]!, confidence }),
        query: query!.values,
      };
    },
  };
}

/** A published model as a customer's client checks answers with it (client/actions/answers/check-answer.ts). */
export function checkableModel(
  model: Parameters<typeof answeringModel>[0] & { readonly staticsHash: bigint },
): AnsweringModel<Int16Array> & { readonly staticsHash: bigint } {
  return { ...answeringModel(model), staticsHash: model.staticsHash };
}
