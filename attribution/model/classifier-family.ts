/** The family of classifiers, as customers need it. How they are trained: trained-model.ts. */
import { decodeQueryMap, encodeQueryMap, type QueryMap } from "../features/query-map.ts";
import { answeringModel } from "./answering-model.ts";
import type { ModelFamily, ModelParts } from "./model-family.ts";
import { invalidFile } from "./model-manifest.ts";
import { parseRecipe, type Recipe } from "./recipe.ts";

export interface ClassifierParts extends ModelParts {
  readonly recipe: Recipe;
  readonly parameters: Float64Array;
  readonly map: QueryMap;
}

/** Parameters are doubles, little-endian. */
export const classifierFamily: ModelFamily<ClassifierParts> = {
  name: "classifier",
  parseRecipe,
  promptKind: ({ inputs }) => inputs.kind,
  encode: ({ map, parameters }) => ({ parameters: doubleBytes(parameters), queryMap: encodeQueryMap(map) }),
  decode: (recipe, { parameters, queryMap }) => ({
    family: classifierFamily,
    recipe,
    parameters: decodeDoubles(parameters),
    map: decodeQueryMap(queryMap),
  }),
  open: async (parts) => answeringModel(parts),
};

/** Little-endian. */
export function doubleBytes(values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setFloat64(8 * k, value, true);
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeDoubles(bytes: Uint8Array): Float64Array {
  if (bytes.length % 8 !== 0) throw invalidFile("parameters.bin", "does not hold whole doubles");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true));
}
