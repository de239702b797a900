/**
 * Constants of Poseidon's rounds in the order in which the kernels read them (poseidon-kernel.ts,
 * native-field.ts).
 */
import { sparsePoseidon } from "./poseidon-sparse.ts";

/**
 * Elements that the rounds read, in the order of reading, each once for both lanes. All other fields are
 * indices into `elements`.
 */
export interface PoseidonTables {
  readonly elements: bigint[];
  /** Index of the constants that are added first; then follow those of each full round, and so on. */
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
