import { attributionError } from "../attribution-errors.ts";
import { mapQueries, type QueryMap } from "../features/query-map.ts";
import { exactExp } from "../maths/exact-math.ts";
import { inputRows, labelsOf } from "../rows/row-content.ts";
import type { Recipe } from "./recipe.ts";
import { modelOf } from "./trained-model.ts";

/** What a model says to a prompt, and the query that its receipt binds. */
export interface ModelAnswer {
  readonly label: string;
  /** The probability that the model gives the label, rounded to four decimals. */
  readonly confidence: number;
  /** The answer that receipts hash: {"label":…,"confidence":…}. */
  readonly text: string;
  /** columnCount odd numbers, −255 … 255. */
  readonly query: Int16Array;
}

/** A model that answers. A prompt is a row's input: an e-mail's text, or a digit's pixels in base64. */
export interface AnsweringModel {
  /** The same prompt gives the same bytes on every machine. @throws ATT_ROW_INVALID */
  answer(prompt: string): ModelAnswer;
}

/** Needs only what is published, not the rows. @throws ATT_MODEL_FILE_INVALID where the parts do not fit together */
export function answeringModel(parts: {
  readonly recipe: Recipe;
  readonly parameters: Float64Array;
  readonly map: QueryMap;
}): AnsweringModel {
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
      const [query] = mapQueries(map, model.sensitivities(parameters, answered), recipe.columnCount);
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
): AnsweringModel & { readonly staticsHash: bigint } {
  return { ...answeringModel(model), staticsHash: model.staticsHash };
}
