/**
 * The kind "direct" of `ModelFamily`: classifiers of texts, pictures or table rows, whose registered matrix has a
 * column for each bucket of a prompt. A query is how often each bucket occurs, with the pair of labels that the answer
 * compares, so that anyone who has the prompt checks it by counting alone. The settlement proves that the answered
 * label beats the runner-up (docs/explanation/attribution-proof.md). Commands, servers and pages pass it in where a
 * model is read.
 */
import { termBucketCount } from "../../features/direct-base.ts";
import type { VectorsFile } from "../../inputs/model-inputs.ts";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import type { Model } from "../model.ts";
import type { ModelFamily, ModelParts } from "../model-family.ts";
import { invalidFile } from "../model-manifest.ts";
import { DIRECT } from "../recipe-fields.ts";
import { directInputs, registeredLogits } from "./direct-inputs.ts";
import { type DirectRecipe, parseDirectRecipe } from "./direct-recipe.ts";
import { weightsOf } from "./label-weights.ts";
import { logisticModel } from "./logistic-model.ts";

export interface DirectParts extends ModelParts {
  readonly recipe: DirectRecipe;
  /** Parameters of the softmax model, as `logisticModel` lays them out. */
  readonly parameters: Float64Array;
}

/** File name of word vectors among those that a server hands out beside its models' own. */
export const vectorsFileName = ({ sha256 }: Pick<VectorsFile, "sha256">): string => `${sha256}.bin`;

/**
 * The family with a place that has files of word vectors.
 * @param readVectors of recipes that name vectors; absent: such a model is neither opened nor trained (ATT_VECTORS_MISSING)
 */
export function directFamilyOf(readVectors?: ReadVectors): ModelFamily<DirectParts> {
  const family: ModelFamily<DirectParts> = {
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
      return { family, recipe, parameters };
    },
    async open({ recipe, parameters }) {
      const inputs = await directInputs(recipe, readVectors);
      const logits = registeredLogits(recipe, parameters);
      return {
        answer: (prompt) => inputs.answer(logits, prompt),
        queryOf: (prompt, text) => inputs.queryOf(prompt, text),
      };
    },
    async readShared({ recipe: { inputs } }, file) {
      const vectors = inputs.kind === "text" ? inputs.vectors : undefined;
      if (vectors === undefined || file !== vectorsFileName(vectors)) return null;
      return (await readVectors?.(vectors)) ?? null;
    },
  };
  return family;
}

/** The family of models whose inputs need no further file. */
export const directFamily = directFamilyOf();

/** The untrained model of a recipe. */
export function directModel(recipe: DirectRecipe): Model {
  const { decay, tolerance } = recipe.model;
  return logisticModel({
    inputCount: termBucketCount(recipe),
    classCount: recipe.classes.length,
    decay,
    tolerance,
    labelWeights: weightsOf(recipe.model.labelWeights),
  });
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
