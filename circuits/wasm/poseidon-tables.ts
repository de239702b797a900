/** Poseidon's constants in the order in which the kernels read them (poseidon-kernel.ts). */
import { poseidonConstants } from "./poseidon-constants.ts";

export const FULL_ROUNDS = 8;
/** By width − 2. */
export const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

/** Of one width, as circomlibjs has them: round constants, sparse rows and columns, dense matrices, transposed. */
export interface PoseidonConstants {
  readonly c: readonly bigint[];
  readonly s: readonly bigint[];
  readonly m: readonly (readonly bigint[])[];
  readonly p: readonly (readonly bigint[])[];
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
  const constants = poseidonConstants(width);
  const { c, s } = constants;
  // circomlibjs multiplies by the transposed matrices.
  const rows = (matrix: readonly (readonly bigint[])[]) =>
    matrix.flatMap((_, i) => matrix.map((row) => row[i]!));
  const half = FULL_ROUNDS / 2;
  const partialCount = PARTIAL_ROUNDS[width - 2]!;
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
  const dense = put(rows(constants.m));
  const p = put(rows(constants.p));
  return { elements, first, fullBefore: first + width, partial, fullAfter, last, dense, p };
}
