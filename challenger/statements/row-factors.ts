/** What a recipe's rules make of rows, as a model commitment says it: who leads a cluster of near-duplicates, and factors. */
import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import { ONE } from "./row-arithmetic.ts";
import { nearestLeaders, type ReadRow } from "./text-overlap.ts";

interface Rules {
  readonly normQuantile: number;
  readonly nearDuplicatesShare: boolean;
}

/** Of each row the first one of its cluster; itself where near-duplicates do not share. */
export function clusterLeaders(
  contents: readonly Uint8Array[],
  { nearDuplicatesShare }: Rules,
  read?: ReadRow,
): Int32Array {
  return nearDuplicatesShare ? nearestLeaders(contents, read) : Int32Array.from(contents, (_, k) => k);
}

/** Of rows of real numbers. */
export function rowLengths(rows: Float64Array, width: number): Float64Array {
  return Float64Array.from({ length: rows.length / width }, (_, k) => {
    let squares = 0;
    for (const x of rows.subarray(k * width, (k + 1) * width)) squares += x * x;
    return Math.sqrt(squares);
  });
}

/**
 * Of each row its factor and leader, and the longest length that the clip leaves, in units; 0 for no limit.
 * @param lengths of the rows before any rule @param unit of the registered matrix, in real units
 */
export function rowFactors(
  lengths: Float64Array,
  leaders: Int32Array,
  { normQuantile }: Rules,
  unit: number,
): { clipLength: number; rows: { leader: number; factor: bigint }[] } {
  const sizes = new Map<number, number>();
  for (const leader of leaders) sizes.set(leader, (sizes.get(leader) ?? 0) + 1);
  const shared = lengths.map((length, k) => length / sizes.get(leaders[k]!)!);
  const longest =
    normQuantile < 1 ? shared.slice().sort()[Math.ceil(normQuantile * shared.length) - 1]! : Infinity;
  return {
    clipLength: normQuantile < 1 ? Math.ceil(longest / unit) : 0,
    rows: Array.from(leaders, (leader, k) => {
      const size = sizes.get(leader)!;
      const isCut = shared[k]! > longest;
      return { leader, factor: isCut ? toFixed40(longest / shared[k]! / size) : ONE / BigInt(size) };
    }),
  };
}
