/** The numbers of Poseidon's rounds in the order in which the kernels read them (poseidon-kernel.ts). */
import { sparsePoseidon } from "./poseidon-sparse.ts";

/** What one round reads, one element after the other, each once for both lanes. */
export interface PoseidonTables {
  readonly elements: bigint[];
  /** Place of the constants that are added first; then follow those of each full round, and so on. */
  readonly first: number;
  readonly fullBefore: number;
  readonly partial: number;
  readonly partialCount: number;
  readonly fullAfter: number;
  readonly dense: number;
  readonly entry: number;
}

export function makeTables(width: number): PoseidonTables {
  const { after, before, entry, matrix, partial, start } = sparsePoseidon(width);
  const elements: bigint[] = [];
  const put = (values: readonly bigint[]) => elements.push(...values) - values.length;
  return {
    elements,
    first: put(start),
    fullBefore: put(before.flat()),
    partial: put(partial.flatMap(({ column, constant, row }) => [constant, ...row, ...column])),
    partialCount: partial.length,
    fullAfter: put(after.flat()),
    dense: put(matrix.flat()),
    entry: put(entry.flat()),
  };
}
