/** The constants of contracts/disputes/base/LedgerMath.sol as it stores them: Poseidon's tables, then H' and the rows' generators. */

import { generators } from "@openledger/circuits/field/curve/generators";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { makeTables } from "@openledger/circuits/wasm/poseidon-tables";
import { invertAll } from "@openledger/foundation/modular";
import type { Hex } from "viem";

/** Inputs and one more, as the contract numbers them. */
export const HASH_WIDTHS = [3, 4, 6, 7, 8, 9, 17] as const;
/** As code with a stop before it: 24,513 bytes, and a whole number of points. */
const CHUNK_WORDS = 766;
const CHUNK_POINTS = CHUNK_WORDS / 2;
/** Constants exist for so many rows; fewer can be posted. */
const MOST_ROWS = 4_096;

let hashChunks: readonly Hex[] | undefined;

/** The chunk's bytes. Generators are derived as far as it reaches, 0.3 ms each once a process. */
export function ledgerChunk(index: number): Hex {
  hashChunks ??= chunked(HASH_WIDTHS.flatMap((width) => makeTables(width).elements));
  if (index < hashChunks.length) return hashChunks[index]!;
  const from = (index - hashChunks.length) * CHUNK_POINTS;
  return chunked(generatorWords(from, Math.min(from + CHUNK_POINTS, MOST_ROWS + 1)))[0]!;
}

/** How many chunks, from the first, a model of so many rows can be challenged with. */
export function chunkCountFor(rowCount: number): number {
  const ofHash = Math.ceil(
    HASH_WIDTHS.reduce((sum, width) => sum + makeTables(width).elements.length, 0) / CHUNK_WORDS,
  );
  return ofHash + Math.floor((2 * rowCount + 1) / CHUNK_WORDS) + 1;
}

/** x and y on the twisted Edwards form, H' first: x = u / v, y = (u − 1) / (u + 1). */
function generatorWords(from: number, to: number): bigint[] {
  const [blind, rows] = [generators("blind", 1), generators("row", to - 1)];
  const points = (of: "u" | "v") => [blind[of][0]!, ...rows[of].slice(0, to - 1)].slice(from);
  const [u, v] = [points("u"), points("v")];
  const inverses = invertAll([...v, ...u.map((x) => (x + 1n) % FIELD_ORDER)], FIELD_ORDER);
  return u.flatMap((x, i) => [
    (x * inverses[i]!) % FIELD_ORDER,
    ((x - 1n + FIELD_ORDER) * inverses[u.length + i]!) % FIELD_ORDER,
  ]);
}

function chunked(words: readonly bigint[]): Hex[] {
  const chunks: Hex[] = [];
  for (let at = 0; at < words.length; at += CHUNK_WORDS) {
    const hex = words.slice(at, at + CHUNK_WORDS).map((word) => word.toString(16).padStart(64, "0"));
    chunks.push(`0x${hex.join("")}`);
  }
  return chunks;
}
