/**
 * The base of direct models: the part of a row's reward that does not depend on its influence. No column of a query
 * counts for every class alike, so ten buckets on which no prompt's terms fall are its columns, five for each class. For
 * a prompt of n terms the answered class' buckets count r = ⌊√n⌋: the first counts r mod 4, the other four together
 * ⌊r / 4⌋ fours, at most 3 each. Those of the other class count nothing. So the base adds the same to each row's score, in units of the
 * query's own length, and circuits stay as they are.
 *
 * A row's entries are a function of the rows' lengths and of the card's strength alone, in integers.
 */
import { MAX_TERMS, termTotal } from "@openledger/circuits/ledger/direct-query";
import type { BaseRule } from "./base-column.ts";

const OF_CLASS = 5;
/** Buckets of the base, behind those of terms and before the bias: class 0's, then class 1's. */
export const BASE_BUCKETS = 2 * OF_CLASS;
/** ⌊√1,986⌋ = 44 is eleven fours; 43 takes ten and three. No root below takes more than 14 counts. */
export const MAX_BASED_TERMS = MAX_TERMS - 14;
const MAX_COUNT = 3;
/** Entries of 511 are the rows' own peak. */
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
  const from = counts.length - BASE_BUCKETS + OF_CLASS * answeredClass;
  counts[from] = root & 3;
  for (let place = 1; place < OF_CLASS; place++)
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
    const entry = place % OF_CLASS === 0 ? (units + 2) >> 2 : units;
    return place < OF_CLASS ? entry : -entry;
  });

/** Writes the base of all rows. @param values rows × width, zeros in the base's columns @param sizes of each row's cluster */
export function writeBase(values: Int16Array, width: number, base: BaseRule, sizes: ArrayLike<number>): void {
  const rowCount = sizes.length;
  const rowOf = (k: number) => values.subarray(k * width, (k + 1) * width);
  let total = 0;
  for (let k = 0; k < rowCount; k++) total += lengthOfRow(rowOf(k));
  const buckets = width - 1 - BASE_BUCKETS;
  const units = baseUnits(base, total, rowCount, buckets);
  for (let k = 0; k < rowCount; k++) rowOf(k).set(baseEntries(Math.floor(units / sizes[k]!)), buckets);
}
