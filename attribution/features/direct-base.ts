/**
 * The base of direct models (classifiers, whose query is the prompt's counts): the part of a row's reward that does not
 * depend on its influence. Training writes the rows' entries (`writeBase`), answering counts the prompt's (`countBase`).
 *
 * Its columns are buckets on which no prompt's terms fall: a set of ten for each bit of a label's number, five a class.
 * An answer compares a pair of labels i < j by the difference of their entries, and a query has no column that counts
 * for both classes. So label j has entries in the sets of its bits, and the query of a pair counts in the set of the
 * highest bit in which the two differ: j has that bit, i has not. For a prompt of n terms the answered class' buckets
 * there count r = ⌊√n⌋: the first counts r mod 4, the other four together ⌊r / 4⌋ fours, at most 3 each. All other
 * buckets count nothing. So the base adds the same to each row's score, whatever the pair, in units of the query's own
 * length, and circuits stay as they are.
 *
 * A row's entries are a function of the rows' lengths and of the card's strength alone, in integers.
 */
import { type DirectQuery, MAX_TERMS, pairOf, termTotal } from "@openledger/circuits/ledger/direct-query";
import type { BaseRule } from "./base-column.ts";

/** Buckets of a set for one class: one of single counts, four of fours. */
const BUCKETS_PER_CLASS = 5;
/** Buckets of a set: class 0's, then class 1's. */
const SET_BUCKETS = 2 * BUCKETS_PER_CLASS;
/** Maximum terms of a prompt beside the base. ⌊√1,986⌋ = 44 is eleven fours; 43 takes ten and three. No root below takes more than 14 counts. */
export const MAX_BASED_TERMS = MAX_TERMS - 14;
/** Maximum count of a bucket: a circuit gives it two bits. */
const MAX_COUNT = 3;
/** Maximum base of a row, in quarters of a unit of B, below 511: the largest entry of rows. */
const MAX_UNITS = 510;

/** Bits of a label's number. */
const bitCount = (labelCount: number): number => 32 - Math.clz32(labelCount - 1);

/** Buckets of a base among so many labels, behind those of terms and before the bias. */
export const baseBuckets = (labelCount: number): number => SET_BUCKETS * bitCount(labelCount);

interface BasedRecipe {
  readonly inputs: { readonly bucketCount: number };
  readonly classes: readonly string[];
  readonly rules?: { readonly base?: BaseRule | undefined } | undefined;
}

/** Buckets that a recipe reserves for its base; 0 without one. */
export const reservedBuckets = ({ classes, rules }: Pick<BasedRecipe, "classes" | "rules">): number =>
  rules?.base === undefined ? 0 : baseBuckets(classes.length);

/** Buckets that terms fall on. */
export const termBucketCount = (recipe: BasedRecipe): number =>
  recipe.inputs.bucketCount - reservedBuckets(recipe);

/** Counts ⌊√n⌋ for the pair and its class, behind the terms that are counted already. */
export function countBase(
  counts: Uint8Array,
  { answeredClass, pair }: Pick<DirectQuery, "answeredClass" | "pair">,
  labelCount: number,
): void {
  const root = Math.floor(Math.sqrt(termTotal(counts)));
  const [i, j] = pairOf(pair);
  const set = 31 - Math.clz32(i ^ j);
  const from =
    counts.length - baseBuckets(labelCount) + SET_BUCKETS * set + BUCKETS_PER_CLASS * answeredClass;
  counts[from] = root & 3;
  for (let position = 1; position < BUCKETS_PER_CLASS; position++)
    counts[from + position] = Math.max(0, Math.min(MAX_COUNT, (root >> 2) - MAX_COUNT * (position - 1)));
}

/** Contrasts of a model's labels (direct-rows.ts): rows × (labels − 1) × width. */
interface Contrasts {
  readonly values: Int16Array;
  readonly rowCount: number;
  readonly labelCount: number;
  /** Buckets and the bias. */
  readonly featureCount: number;
}

/** Sum of a row's lengths by each pair of labels, each rounded down. */
function pairLengths(contrasts: Int16Array, labelCount: number, width: number): number {
  const of = (label: number) => contrasts.subarray((label - 1) * width, label * width);
  /** Products of contrasts; label 0's are 0. Exact: below 2^31. */
  const products = new Float64Array(labelCount * labelCount);
  for (let i = 1; i < labelCount; i++)
    for (let j = i; j < labelCount; j++) {
      const [a, b] = [of(i), of(j)];
      let sum = 0;
      for (let k = 0; k < width; k++) sum += a[k]! * b[k]!;
      products[i * labelCount + j] = sum;
    }
  let total = 0;
  for (let j = 1; j < labelCount; j++)
    for (let i = 0; i < j; i++) {
      const squares =
        products[i * labelCount + i]! + products[j * labelCount + j]! - 2 * products[i * labelCount + j]!;
      total += Math.floor(Math.sqrt(squares));
    }
  return total;
}

/** Buckets in which some row has an entry; the bias is none. */
function usedBuckets({ featureCount, labelCount, rowCount, values }: Contrasts): number {
  const isUsed = new Uint8Array(featureCount - 1);
  for (let from = 0; from < rowCount * (labelCount - 1) * featureCount; from += featureCount)
    for (let bucket = 0; bucket < isUsed.length; bucket++)
      if (values[from + bucket] !== 0) isUsed[bucket] = 1;
  return isUsed.reduce((sum, is) => sum + is, 0);
}

/**
 * Base of each row, in quarters of a unit of B: its score for a prompt of length 1, beside its influence. Strength 1 is
 * the rows' mean length, over all pairs of labels, over √D, D buckets in which some row has an entry: about a typical score.
 * @param total of the lengths. @param count of lengths
 */
const baseUnits = ({ flatPermille }: BaseRule, total: number, count: number, buckets: number) =>
  Math.min(
    MAX_UNITS,
    Math.floor((64 * flatPermille * total) / (1_000 * count * Math.floor(16 * Math.sqrt(buckets)))),
  );

/** Entries of a row of so many units in the sets of a label. Scores of class 1 are negated. */
export const baseEntries = (units: number, label: number, labelCount: number): number[] =>
  Array.from({ length: baseBuckets(labelCount) }, (_, at) => {
    if (((label >> Math.floor(at / SET_BUCKETS)) & 1) === 0) return 0;
    const position = at % SET_BUCKETS;
    const entry = position % BUCKETS_PER_CLASS === 0 ? (units + 2) >> 2 : units;
    return position < BUCKETS_PER_CLASS ? entry : -entry;
  });

/**
 * Writes the base of all rows.
 * @param contrasts with zeros in the base's columns; may have further rows behind
 * @param sizes rows in each row's cluster, which share the base
 */
export function writeBase(contrasts: Contrasts, base: BaseRule, sizes: ArrayLike<number>): void {
  const { featureCount, labelCount, rowCount, values } = contrasts;
  const width = (labelCount - 1) * featureCount;
  const rowOf = (k: number) => values.subarray(k * width, (k + 1) * width);
  let total = 0;
  for (let k = 0; k < rowCount; k++) total += pairLengths(rowOf(k), labelCount, featureCount);
  const buckets = featureCount - 1 - baseBuckets(labelCount);
  const count = (rowCount * labelCount * (labelCount - 1)) / 2;
  const units = baseUnits(base, total, count, Math.max(1, usedBuckets(contrasts)));
  for (let k = 0; k < rowCount; k++)
    for (let label = 1; label < labelCount; label++)
      rowOf(k).set(
        baseEntries(Math.floor(units / sizes[k]!), label, labelCount),
        (label - 1) * featureCount + buckets,
      );
}
