/**
 * The base of direct models (logistic models of texts or pictures, whose query is the prompt's counts): the part of a row's
 * reward that does not depend on its influence. Training writes the rows' entries (`writeBase`), answering counts the
 * prompt's (`countBase`).
 *
 * Its columns are ten buckets on which no prompt's terms fall, five for each class: a query has no column that counts
 * for both classes. For a prompt of n terms the answered class' buckets count r = ⌊√n⌋: the first counts r mod 4, the
 * other four together ⌊r / 4⌋ fours, at most 3 each. The other class' buckets count nothing. So the base adds the same
 * to each row's score, in units of the query's own length, and circuits stay as they are.
 *
 * A row's entries are a function of the rows' lengths and of the card's strength alone, in integers.
 */
import { MAX_TERMS, termTotal } from "@openledger/circuits/ledger/direct-query";
import type { BaseRule } from "./base-column.ts";

/** Buckets of the base for one class: one of single counts, four of fours. */
const BUCKETS_PER_CLASS = 5;
/** Buckets of the base, behind those of terms and before the bias: class 0's, then class 1's. */
export const BASE_BUCKETS = 2 * BUCKETS_PER_CLASS;
/** Maximum terms of a prompt beside the base. ⌊√1,986⌋ = 44 is eleven fours; 43 takes ten and three. No root below takes more than 14 counts. */
export const MAX_BASED_TERMS = MAX_TERMS - 14;
/** Maximum count of a bucket: a circuit gives it two bits. */
const MAX_COUNT = 3;
/** Maximum base of a row, in quarters of a unit of B, below 511: the largest entry of rows. */
const MAX_UNITS = 510;

interface BasedRecipe {
  readonly inputs: { readonly bucketCount: number };
  readonly rules: { readonly base?: BaseRule | undefined };
}

/** Buckets that terms fall on. */
export const termBucketCount = ({ inputs, rules }: BasedRecipe): number =>
  inputs.bucketCount - (rules.base === undefined ? 0 : BASE_BUCKETS);

/** Counts ⌊√n⌋ for the class, behind the terms that are counted already. */
export function countBase(counts: Uint8Array, answeredClass: number): void {
  const root = Math.floor(Math.sqrt(termTotal(counts)));
  const from = counts.length - BASE_BUCKETS + BUCKETS_PER_CLASS * answeredClass;
  counts[from] = root & 3;
  for (let place = 1; place < BUCKETS_PER_CLASS; place++)
    counts[from + place] = Math.max(0, Math.min(MAX_COUNT, (root >> 2) - MAX_COUNT * (place - 1)));
}

/** Length of a row of integers, rounded down. */
const lengthOfRow = (entries: Int16Array): number =>
  Math.floor(Math.sqrt(entries.reduce((sum, entry) => sum + entry * entry, 0)));

/**
 * Base of each row, in quarters of a unit of B: its score for a prompt of length 1, beside its influence. Strength 1 is
 * the rows' mean length over √D, D buckets of terms: about a typical score.
 * @param total of the rows' lengths
 */
const baseUnits = ({ flatPermille }: BaseRule, total: number, rowCount: number, buckets: number) =>
  Math.min(
    MAX_UNITS,
    Math.floor((64 * flatPermille * total) / (1_000 * rowCount * Math.floor(16 * Math.sqrt(buckets)))),
  );

/** Entries of a row of so many units. Scores of class 1 are negated. */
export const baseEntries = (units: number): number[] =>
  Array.from({ length: BASE_BUCKETS }, (_, place) => {
    const entry = place % BUCKETS_PER_CLASS === 0 ? (units + 2) >> 2 : units;
    return place < BUCKETS_PER_CLASS ? entry : -entry;
  });

/**
 * Writes the base of all rows.
 * @param values rows × width, zeros in the base's columns
 * @param sizes rows in each row's cluster, which share the base
 */
export function writeBase(values: Int16Array, width: number, base: BaseRule, sizes: ArrayLike<number>): void {
  const rowCount = sizes.length;
  const rowOf = (k: number) => values.subarray(k * width, (k + 1) * width);
  let total = 0;
  for (let k = 0; k < rowCount; k++) total += lengthOfRow(rowOf(k));
  const buckets = width - 1 - BASE_BUCKETS;
  const units = baseUnits(base, total, rowCount, buckets);
  for (let k = 0; k < rowCount; k++) rowOf(k).set(baseEntries(Math.floor(units / sizes[k]!)), buckets);
}
