/**
 * Files that a model answers with (recipe, parameters, map of queries), and the hash by which its statics (what never
 * changes of a model on the ledger) name them. Model folders, registration and answer servers use both.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import type { AnsweringFiles, ModelParts } from "./model-family.ts";

/** Encodes the three files of a trained model that answers depend on. */
export function answeringFiles(parts: ModelParts): AnsweringFiles {
  return { recipe: jsonBytes(parts.recipe), ...parts.family.encode(parts) };
}

/**
 * Hash that a model's statics bind its files by (docs/reference/settlement.md): SHA-256 over the SHA-256 of each of the three,
 * mod r (the order of bn254's scalar field). Nobody can be served other parameters or another map under the same statics.
 */
export const answeringHash = ({ recipe, parameters, queryMap }: AnsweringFiles): bigint =>
  digestToField(sha256(concatBytes(...[recipe, parameters, queryMap].map((file) => sha256(file)))));

/** Encodes a JSON file of a model folder: one space of indentation, a line end behind it. Hashes are over these bytes. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
}
