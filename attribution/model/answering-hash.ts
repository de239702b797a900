import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { digestToField } from "../../circuits/ledger/version-rows.ts";
import type { AnsweringFiles, ModelParts } from "./model-family.ts";

/** Files of these parts. */
export function answeringFiles(parts: ModelParts): AnsweringFiles {
  return { recipe: jsonBytes(parts.recipe), ...parts.family.encode(parts) };
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
