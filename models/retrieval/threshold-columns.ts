/**
 * The threshold of a query in columns of G that are the same in every row. A settlement pays by max(0, s), s = G q: with
 * columns that add −T to every row, only rows whose own part is above T are paid, and the circuit stays as it is.
 *
 * An even number of columns has 127 in every row, the last one 1. A query's entries are odd. So the coarse ones add
 * 127 · A for any even A, the last one an odd number up to 255, and every odd T up to the capacity is met exactly.
 */
import { MAX_FEATURE, MAX_QUERY } from "@openledger/attribution/features/quantise";

/** @param coarse columns of 127; even */
export function mostThreshold(coarse: number): number {
  return MAX_FEATURE * MAX_QUERY * coarse + MAX_FEATURE;
}

/** Writes what G has in these columns of each row, from column `at` on. */
export function fillThresholdColumns(
  values: Int8Array,
  columnCount: number,
  at: number,
  coarse: number,
): void {
  for (let row = 0; row < values.length; row += columnCount) {
    values.fill(MAX_FEATURE, row + at, row + at + coarse);
    values[row + at + coarse] = 1;
  }
}

/** A query's entries in these columns: they add −threshold. @param threshold odd, 1 … `mostThreshold(coarse)` */
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
