import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { digestToField } from "../../circuits/ledger/version-rows.ts";
import type { QueryMap } from "../features/query-map.ts";
import { encodeQueryMap } from "../features/query-map.ts";
import type { Recipe } from "./recipe.ts";

/** What an answer and its query depend on besides the prompt, as the files of a published model hold it. */
export interface AnsweringFiles {
  readonly recipe: Uint8Array;
  readonly parameters: Uint8Array;
  readonly queryMap: Uint8Array;
}

/** Files of these parts. Doubles are little-endian. */
export function answeringFiles(model: {
  readonly recipe: Recipe;
  readonly parameters: Float64Array;
  readonly map: QueryMap;
}): AnsweringFiles {
  return {
    recipe: jsonBytes(model.recipe),
    parameters: doubleBytes(model.parameters),
    queryMap: encodeQueryMap(model.map),
  };
}

/**
 * SHA-256 over the SHA-256 of each of the three files, mod r. The model's statics bind it (docs/settlement.md): nobody
 * can be served other parameters or another map under the same statics.
 */
export function answeringHash({ recipe, parameters, queryMap }: AnsweringFiles): bigint {
  return digestToField(sha256(concatBytes(...[recipe, parameters, queryMap].map((file) => sha256(file)))));
}

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
}

function doubleBytes(values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setFloat64(8 * k, value, true);
  return bytes;
}
