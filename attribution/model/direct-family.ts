/**
 * Direct models: binary logistic models of e-mails whose registered matrix lies over the prompt's own terms. A query is
 * how often each bucket of terms occurs, with the answered class, so that whoever has the prompt checks it with a
 * tokeniser alone. That the class is the model's the settlement proves (docs/explanation/attribution-proof.md).
 */
import type { AnsweredClass, DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { answeredClass, MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/direct-matrix";
import { attributionError } from "../attribution-errors.ts";
import { quantiseDirect } from "../features/direct-rows.ts";
import { labelsOf } from "../rows/row-content.ts";
import { decodeDoubles, doubleBytes } from "./classifier-family.ts";
import { countText } from "./direct-inputs.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";
import { logisticModel } from "./logistic-model.ts";
import type { Model } from "./model.ts";
import type { ModelFamily, ModelParts } from "./model-family.ts";
import { invalidFile } from "./model-manifest.ts";
import { DIRECT } from "./recipe-fields.ts";

export interface DirectParts extends ModelParts {
  readonly recipe: DirectRecipe;
  /** Of the logistic model, as `logisticModel` lays them out. */
  readonly parameters: Float64Array;
}

const LABELS = labelsOf("email");

export const directFamily: ModelFamily<DirectParts> = {
  name: DIRECT,
  parseRecipe: parseDirectRecipe,
  promptKind: () => "email",
  // A query needs no map.
  encode: ({ parameters }) => ({ parameters: doubleBytes(parameters), queryMap: new Uint8Array() }),
  decode(recipe, files) {
    if (files.queryMap.length > 0) throw invalidFile("query-map.bin", "is not empty");
    const parameters = decodeDoubles(files.parameters);
    const expected = directModel(recipe).parameterCount;
    if (parameters.length !== expected)
      throw invalidFile("parameters.bin", `has ${parameters.length} parameters, not ${expected}`);
    return { family: directFamily, recipe, parameters };
  },
  async open({ recipe, parameters }) {
    const { bucketCount } = recipe.inputs;
    const row = logitRow(parameters);
    // The logit's row alone, behind one of zeros: a matrix has a row at least.
    const logit = { rowCount: 1, bucketCount, values: new Int16Array(2 * row.length) };
    logit.values.set(row, row.length);
    return {
      answer(prompt) {
        const counts = countText(prompt, bucketCount);
        const answered = answeredClass(logit, counts);
        return {
          label: LABELS[answered]!,
          confidence: null,
          text: directAnswer(answered),
          query: { counts, answeredClass: answered },
        };
      },
      queryOf: (prompt, text) => directQueryOf(recipe, prompt, text),
    };
  },
};

/**
 * The query of an answer that is at hand, from the prompt alone: no parameters.
 * @throws ATT_ROW_INVALID, ATT_ANSWER_INVALID for what no such model answers
 */
function directQueryOf({ inputs }: DirectRecipe, prompt: string, text: string): DirectQuery {
  const answered = ([0, 1] as const).find((one) => directAnswer(one) === text);
  if (answered === undefined)
    throw attributionError("ATT_ANSWER_INVALID", `a direct model does not answer ${text.slice(0, 80)}`);
  return { counts: countText(prompt, inputs.bucketCount), answeredClass: answered };
}

/** What receipts hash: without a confidence, which nobody could check with a tokeniser alone. */
export const directAnswer = (answered: AnsweredClass): string => JSON.stringify({ label: LABELS[answered] });

/** The model that a recipe is about, untrained. */
export function directModel({ inputs, model }: DirectRecipe): Model {
  const { decay, tolerance } = model;
  return logisticModel({ inputCount: inputs.bucketCount, classCount: LABELS.length, decay, tolerance });
}

/** The registered row of the logit: of each bucket, and of the bias, what it adds for class 1. Its own scale. */
export function logitRow(parameters: Float64Array): Int16Array {
  const width = parameters.length / 2;
  const weights = Float64Array.from({ length: width }, (_, a) => parameters[2 * a + 1]! - parameters[2 * a]!);
  return quantiseDirect(weights, MAX_DIRECT_ENTRY).values;
}
