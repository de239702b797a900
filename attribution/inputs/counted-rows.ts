/** Counts as numbers that a model learns from: (bucket, count / √n) for n counts, so that long and short inputs have one scale. */
import { termTotal } from "@openledger/circuits/ledger/direct-query";
import { type SparseRows, sparseRows } from "../maths/sparse-rows.ts";

/** Pairs of bucket and number, ascending. A bias is 1 beside them. */
function countEntries(counts: Uint8Array): [number, number][] {
  const root = Math.sqrt(termTotal(counts));
  const entries: [number, number][] = [];
  for (let bucket = 0; bucket < counts.length; bucket++)
    if (counts[bucket] !== 0) entries.push([bucket, counts[bucket]! / root]);
  return entries;
}

export const countedRows = (buckets: number, counts: Iterable<Uint8Array>): SparseRows =>
  sparseRows(buckets, Array.from(counts, countEntries));
