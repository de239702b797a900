/**
 * Layout of the feature matrix G of a language model that cites rows: columns of influence (features, then the base where the
 * rules have one), then columns of citations. A query pays by one of the two blocks alone.
 *
 * A settlement pays by max(0, s), s = G q, and the entries of q are odd: none is 0. So each row of either block is balanced:
 * with the entries `idleEntry` its columns add up to 0 exactly. Of a query's length one direction is given up for that.
 *
 * The citations' columns are a row's embedding, then a threshold that is the same in every row: an even number of columns
 * of 127, and one of 1. The coarse ones add 127 · A for any even A, the last one an odd number up to 255, so every odd T up
 * to the capacity is taken exactly, and only rows whose own part is above T are paid.
 */
import { MAX_FEATURE, MAX_QUERY, type QuantisedFeatures } from "@openledger/attribution/features/quantise";

/** A query's entry in a column of the block that does not pay: the Thue–Morse sequence, which pairs of columns cancel by. */
export function idleEntry(column: number): number {
  let ones = 0;
  for (let left = column; left > 0; left >>= 1) ones += left & 1;
  return ones % 2 === 0 ? 1 : -1;
}

/** Changes the entries of `values` from `at` on by as little as makes them add up to −rest under `idleEntry`. */
export function balance(values: Int8Array, at: number, count: number, firstColumn: number, rest = 0): void {
  let sum = rest;
  for (let k = 0; k < count; k++) sum += values[at + k]! * idleEntry(firstColumn + k);
  for (let k = 0; sum !== 0; k = (k + 1) % count) {
    const changed = values[at + k]! - Math.sign(sum) * idleEntry(firstColumn + k);
    if (Math.abs(changed) > MAX_FEATURE) continue;
    values[at + k] = changed;
    sum -= Math.sign(sum);
  }
}

/** Completes a G that has features and base alone: balances them, and writes each row's embedding and the threshold's columns. */
export function fillCitations(
  { featureCount: columnCount, values }: QuantisedFeatures,
  { baseCount, featureCount }: Record<"featureCount" | "baseCount", number>,
  rows: readonly { readonly embedding: ArrayLike<number> }[],
): void {
  const first = featureCount + baseCount;
  for (const [row, { embedding }] of rows.entries()) {
    const at = row * columnCount;
    let ofBase = 0;
    for (let k = featureCount; k < first; k++) ofBase += values[at + k]! * idleEntry(k);
    balance(values, at, featureCount, 0, ofBase);
    values.set(embedding, at + first);
    const coarse = columnCount - first - embedding.length - 1;
    values.set(thresholdColumns(coarse), at + columnCount - coarse - 1);
  }
}

/** Entries of G in the threshold's columns of every row. @param coarse columns of 127; even */
export const thresholdColumns = (coarse: number): Int8Array =>
  new Int8Array(coarse + 1).fill(MAX_FEATURE, 0, coarse).fill(1, coarse);

export const maxThreshold = (coarse: number): number => MAX_FEATURE * MAX_QUERY * coarse + MAX_FEATURE;

/** A query's entries in these columns: they add −threshold. @param threshold odd, 1 … `maxThreshold(coarse)` */
export function thresholdEntries(threshold: number, coarse: number): Int16Array {
  const out = new Int16Array(coarse + 1);
  let left = -2 * Math.floor((threshold + MAX_FEATURE) / (2 * MAX_FEATURE));
  left = Math.max(left, -MAX_QUERY * coarse);
  out[coarse] = -threshold - MAX_FEATURE * left;
  for (let k = 0; k < coarse; k += 2) {
    const pairs = (coarse - k) / 2;
    // Even, so that two odd numbers have this sum.
    const sum = 2 * Math.round(left / pairs / 2);
    const first = (sum / 2) % 2 === 0 ? sum / 2 + 1 : sum / 2;
    out[k] = first;
    out[k + 1] = sum - first;
    left -= sum;
  }
  return out;
}
