/**
 * Counts as numbers that a model learns from: (bucket, s · count / √n) for n counts, so that long and short inputs have one scale, with the
 * scale s of the bucket (bucket-scales.ts).
 */
import { termTotal } from "@openledger/circuits/ledger/direct-query";
import { type SparseRows, sparseRows } from "../maths/sparse-rows.ts";
import type { InputCounter } from "./input-counter.ts";

/** Pairs of bucket and number, ascending. A bias is 1 beside them. */
function countEntries(counts: Uint8Array, scales: Float64Array): [number, number][] {
  const root = Math.sqrt(termTotal(counts));
  const entries: [number, number][] = [];
  for (let bucket = 0; bucket < counts.length; bucket++)
    if (counts[bucket] !== 0) entries.push([bucket, (scales[bucket]! * counts[bucket]!) / root]);
  return entries;
}

/** @param counts by the counter's `countsOf` */
export const countedRows = (
  { scales, termBuckets }: Pick<InputCounter, "scales" | "termBuckets">,
  counts: Iterable<Uint8Array>,
): SparseRows =>
  sparseRows(
    termBuckets,
    Array.from(counts, (counted) => countEntries(counted, scales)),
  );
