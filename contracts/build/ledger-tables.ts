/** The constants of contracts/disputes/LedgerMath.sol as it stores them: Poseidon's tables, then H' and the rows' generators. */
import { type Hex, keccak256 } from "viem";
import { generators } from "../../circuits/field/generators.ts";
import { invertAll } from "../../circuits/field/modular.ts";
import { FIELD_ORDER } from "../../circuits/protocol.ts";
import { makeTables } from "../../circuits/wasm/poseidon-tables.ts";

/** Inputs and one more, as the contract numbers them. */
export const HASH_WIDTHS = [3, 4, 6, 7, 8, 9, 17] as const;
/** As code with a stop before it: 24,513 bytes, and a whole number of points. */
const CHUNK_WORDS = 766;
/** Constants exist for so many rows; fewer can be posted. */
const MOST_ROWS = 4_096;

let made: readonly Hex[] | undefined;

/** All chunks. Takes two seconds once a process: the generators are derived. */
export function ledgerTables(): readonly Hex[] {
  made ??= [
    ...chunked(HASH_WIDTHS.flatMap((width) => makeTables(width).elements)),
    ...chunked(generatorWords(MOST_ROWS)),
  ];
  return made;
}

export const chunkHashes = (): Hex[] => ledgerTables().map((chunk) => keccak256(chunk));

/** How many chunks, from the first, a model of so many rows can be challenged with. */
export function chunkCountFor(rowCount: number): number {
  const ofHash = Math.ceil(
    HASH_WIDTHS.reduce((sum, width) => sum + makeTables(width).elements.length, 0) / CHUNK_WORDS,
  );
  return ofHash + Math.floor((2 * rowCount + 1) / CHUNK_WORDS) + 1;
}

/** x and y on the twisted Edwards form, H' first: x = u / v, y = (u − 1) / (u + 1). */
function generatorWords(rowCount: number): bigint[] {
  const [blind, rows] = [generators("blind", 1), generators("row", rowCount)];
  const u = [blind.u[0]!, ...rows.u.slice(0, rowCount)];
  const v = [blind.v[0]!, ...rows.v.slice(0, rowCount)];
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
