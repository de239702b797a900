/** Poseidon's constants in the order in which the kernels read them (poseidon-kernel.ts). */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const FULL_ROUNDS = 8;
/** By width − 2. */
export const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

/** By width − 2: round constants, sparse rows and columns, dense matrices; hex strings. */
interface PoseidonConstants {
  readonly C: readonly (readonly string[])[];
  readonly S: readonly (readonly string[])[];
  readonly M: readonly (readonly (readonly string[])[])[];
  readonly P: readonly (readonly (readonly string[])[])[];
}

let readConstants: PoseidonConstants | undefined;

/** circomlibjs does not export the file. */
function poseidonConstants(): PoseidonConstants {
  if (readConstants === undefined) {
    const main = createRequire(import.meta.url).resolve("circomlibjs");
    const path = join(dirname(main), "../src/poseidon_constants_opt.json");
    readConstants = JSON.parse(readFileSync(path, "utf8")) as PoseidonConstants;
  }
  return readConstants;
}

/** What one round reads, one element after the other, each once for both lanes. */
export interface PoseidonTables {
  readonly elements: bigint[];
  /** Place of the constants that are added first; then follow C of each full round, and so on. */
  readonly first: number;
  readonly fullBefore: number;
  readonly partial: number;
  readonly fullAfter: number;
  readonly last: number;
  readonly dense: number;
  readonly p: number;
}

export function makeTables(width: number): PoseidonTables {
  const at = width - 2;
  const { C, S, M, P } = poseidonConstants();
  const read = (values: readonly string[]) => values.map(BigInt);
  const [c, s] = [read(C[at]!), read(S[at]!)];
  // circomlibjs multiplies by the transposed matrices.
  const rows = (matrix: readonly (readonly string[])[]) =>
    matrix.flatMap((_, i) => matrix.map((row) => BigInt(row[i]!)));
  const half = FULL_ROUNDS / 2;
  const partialCount = PARTIAL_ROUNDS[at]!;
  const elements: bigint[] = [];
  const put = (values: readonly bigint[]) => elements.push(...values) - values.length;
  const first = put(c.slice(0, (half + 1) * width));
  const partial = elements.length;
  for (let round = 0; round < partialCount; round++) {
    const sparse = s.slice((2 * width - 1) * round, (2 * width - 1) * (round + 1));
    put([c[(half + 1) * width + round]!, ...sparse]);
  }
  const fullAfter = put(c.slice((half + 1) * width + partialCount));
  const last = put(Array<bigint>(width).fill(0n));
  const dense = put(rows(M[at]!));
  const p = put(rows(P[at]!));
  return { elements, first, fullBefore: first + width, partial, fullAfter, last, dense, p };
}
