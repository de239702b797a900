/** A file of a few word vectors, for tests of models that count by them. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { VectorsFile } from "../inputs/model-inputs.ts";
import type { ReadVectors } from "../inputs/open-inputs.ts";
import { encodeTextVectors } from "../inputs/text-vectors.ts";
import { wordsOf } from "../rows/words.ts";

/** @param words components of each, −127 … 127, equally many */
export function tinyVectors(words: Readonly<Record<string, readonly number[]>>) {
  const entries = Object.entries(words);
  const bytes = encodeTextVectors(
    entries.map(([word, components]) => ({
      hash: wordsOf(new TextEncoder().encode(word), true)[0]!,
      weight: 200,
      components,
    })),
  );
  const file: VectorsFile = {
    name: "tiny",
    sizeBytes: bytes.length,
    sha256: bytesToHex(sha256(bytes)),
    dimensions: entries[0]![1].length,
  };
  const read: ReadVectors = async ({ sha256: hash }) => (hash === file.sha256 ? bytes : null);
  return { bytes, file, read };
}
