/**
 * The kind "direct" of `ModelFamily`: logistic models of texts or pictures whose registered matrix has a column for
 * each bucket of a prompt. A query is how often each bucket occurs, with the answered class, so that anyone who has
 * the prompt checks it by counting alone. The settlement proves that the class is the model's
 * (docs/explanation/attribution-proof.md). Commands, servers and pages pass it in where a model is read.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/scores/direct-matrix";
import { attributionError } from "../../attribution-errors.ts";
import { quantiseDirect } from "../../features/direct-rows.ts";
import type { Model } from "../model.ts";
import type { ModelFamily, ModelParts } from "../model-family.ts";
import { invalidFile } from "../model-manifest.ts";
import { DIRECT } from "../recipe-fields.ts";
import { directInputs, type InputRecipe } from "./direct-inputs.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";
import { logisticModel } from "./logistic-model.ts";

export interface DirectParts extends ModelParts {
  readonly recipe: DirectRecipe;
  /** Parameters of the logistic model, as `logisticModel` lays them out. */
  readonly parameters: Float64Array;
}

export const directFamily: ModelFamily<DirectParts> = {
  name: DIRECT,
  parseRecipe: parseDirectRecipe,
  promptKind: ({ inputs }) => inputs.kind,
  // A query needs no map.
  encode: ({ parameters }) => ({ parameters: doubleBytes(parameters), queryMap: new Uint8Array() }),
  maxBytes: async (recipe) => ({ parameters: 8 * directModel(recipe).parameterCount, queryMap: 0 }),
  decode(recipe, files) {
    if (files.queryMap.length > 0) throw invalidFile("query-map.bin", "is not empty");
    const parameters = decodeDoubles(files.parameters);
    const expected = directModel(recipe).parameterCount;
    if (parameters.length !== expected)
      throw invalidFile("parameters.bin", `has ${parameters.length} parameters, not ${expected}`);
    return { family: directFamily, recipe, parameters };
  },
  async open({ recipe, parameters }) {
    const inputs = directInputs(recipe);
    const logit = logitRow(recipe, parameters);
    return {
      answer(prompt) {
        const { label, query, text } = inputs.answer(logit, prompt);
        return { label, text, query: query(prompt) };
      },
      queryOf: (prompt, text) => directQueryOf(recipe, prompt, text),
    };
  },
};

/**
 * Query of a given answer, from the prompt alone: needs no parameters.
 * @throws ATT_ROW_INVALID, ATT_ANSWER_INVALID for a text that no such model answers
 */
function directQueryOf(recipe: DirectRecipe, prompt: string, text: string): DirectQuery {
  const reply = directInputs(recipe).answers.find((one) => one.text === text);
  if (reply === undefined)
    throw attributionError("ATT_ANSWER_INVALID", `a direct model does not answer ${text.slice(0, 80)}`);
  return reply.query(prompt);
}

/** The untrained model of a recipe. */
export function directModel(recipe: DirectRecipe): Model {
  const { decay, tolerance } = recipe.model;
  const { inputCount, labels } = directInputs(recipe);
  return logisticModel({ inputCount, classCount: labels.length, decay, tolerance });
}

/** Registered row of the logit: the weight of each bucket, and of the bias, for class 1. It has its own scale. */
export function logitRow(recipe: InputRecipe, parameters: Float64Array): Int16Array {
  return quantiseDirect(directInputs(recipe).logit(parameters), MAX_DIRECT_ENTRY).values;
}

/** Doubles as bytes, little-endian. */
function doubleBytes(values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setFloat64(8 * k, value, true);
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID */
function decodeDoubles(bytes: Uint8Array): Float64Array {
  if (bytes.length % 8 !== 0) throw invalidFile("parameters.bin", "does not hold whole doubles");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true));
}
