/**
 * Exact search for similar rows of a table: rows that are nearly equal in every field. near-duplicates.ts finds copies with it in tables
 * without texts; those with texts are compared by their words.
 */
import { COMPARISON_VERSION, type ComparisonVersion } from "./row-rules.ts";
import type { FieldValue } from "./table-rows.ts";

/** Rows of fewer numbers are equal by chance too often: any two people of one town are. */
const MIN_NUMBERS = 3;

/** Part of the rows at each end of a field's numbers that say nothing about its range. */
const TAIL = 0.05;

/**
 * Range of each field, by which distances are measured. Attack: one row of huge numbers, or a sentinel as weather files have; by the
 * extremes of all rows every two honest ones are near. So the range is from the 5 % to the 95 % quantile of the rows of one label, and no
 * wider than that of all rows, since a label may have few. A field that is one number in nearly all rows has the smallest difference from
 * it: a larger one would be a stranger's choice. 0 where no number differs.
 * @param all rows of all labels @param rows those that are compared
 */
export function fieldRanges(
  all: readonly (readonly FieldValue[])[],
  rows: readonly (readonly FieldValue[])[],
): number[] {
  return (rows[0] ?? []).map((_, field) => {
    const numbers = numbersOf(all, field);
    const own = rows === all ? numbers : numbersOf(rows, field);
    const wide = [quantileRange(own), quantileRange(numbers)].filter((range) => range > 0);
    return wide.length > 0 ? Math.min(...wide) : smallestDifference(numbers);
  });
}

/** Part of a field's values that differ from all others, from which it numbers or names its rows. */
const ID_PART = 0.9;
/** Fewer rows say nothing about a field. */
const MIN_ID_ROWS = 20;

/**
 * Returns true for each field that numbers or names the rows: whole numbers, or categories, most of which no two rows share. Attack: others'
 * rows under numbers of one's own. Two rows that are near in all other fields are copies, whatever such a field has.
 * @param rows of all labels
 */
export function idFields(rows: readonly (readonly FieldValue[])[]): boolean[] {
  return (rows[0] ?? []).map((_, field) => {
    const values = rows.map((row) => row[field]!).filter((value) => value !== null);
    const isName = (value: FieldValue) => typeof value === "string" || Number.isInteger(value);
    if (values.length < MIN_ID_ROWS || !values.every(isName)) return false;
    return new Set(values).size >= ID_PART * values.length;
  });
}

/** Ascending. */
const numbersOf = (rows: readonly (readonly FieldValue[])[], field: number): Float64Array =>
  Float64Array.from(rows.map((row) => row[field]!).filter((value) => typeof value === "number")).sort();

function quantileRange(ascending: Float64Array): number {
  const last = ascending.length - 1;
  const tail = Math.ceil(TAIL * last);
  return last < 2 * tail ? 0 : ascending[last - tail]! - ascending[tail]!;
}

/** Smallest difference between the middle number and another that differs from it. */
function smallestDifference(ascending: Float64Array): number {
  const middle = ascending[ascending.length >> 1]!;
  const differences = ascending.filter((x) => x !== middle).map((x) => Math.abs(x - middle));
  return differences.length === 0 ? 0 : differences.reduce((min, x) => Math.min(min, x));
}

/** Ranges of the first version of the comparison: from the smallest to the largest number of the rows. */
const extremeRanges = (rows: readonly (readonly FieldValue[])[]): number[] =>
  (rows[0] ?? []).map((_, field) => {
    const numbers = numbersOf(rows, field);
    return numbers.at(-1)! - numbers[0]!;
  });

/**
 * Finds, among the rows added so far, the one most similar to another: equal in categories, truth values and what is missing, and in each
 * number no further away than a part of that field's range. The similarity is 1 less the largest such part.
 */
export class TableIndex {
  readonly #rows: readonly (readonly FieldValue[])[];
  readonly #ranges: readonly number[];
  readonly #maxDistance: number;
  /** Rows by all that has to be equal. */
  readonly #groups = new Map<string, number[]>();

  /** @param all rows of all labels; default: those that are compared */
  constructor(
    rows: readonly (readonly FieldValue[])[],
    threshold: number,
    all: readonly (readonly FieldValue[])[] = rows,
    version: ComparisonVersion = COMPARISON_VERSION,
  ) {
    const isId = version === 1 ? [] : idFields(all);
    const compared = (some: readonly (readonly FieldValue[])[]) =>
      isId.includes(true) ? some.map((row) => row.filter((__, field) => isId[field] !== true)) : some;
    this.#rows = compared(rows);
    this.#maxDistance = 1 - threshold;
    this.#ranges =
      version === 1
        ? extremeRanges(rows)
        : fieldRanges(rows === all ? this.#rows : compared(all), this.#rows);
  }

  add(index: number): void {
    const key = this.#keyOf(index);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, [index]);
    else group.push(index);
  }

  /** The added row of the highest similarity, the first of equals; undefined if there is none. */
  maxSimilar(index: number): { earlier: number; similarity: number } | undefined {
    const row = this.#rows[index]!;
    if (row.filter((value) => typeof value === "number").length < MIN_NUMBERS) return undefined;
    let best: { earlier: number; similarity: number } | undefined;
    for (const earlier of this.#groups.get(this.#keyOf(index)) ?? []) {
      const similarity = 1 - this.#distance(row, this.#rows[earlier]!);
      if (similarity < 1 - this.#maxDistance || (best !== undefined && similarity <= best.similarity))
        continue;
      best = { earlier, similarity };
    }
    return best;
  }

  /** Largest part of a range that two rows are apart; stops where it is too large. */
  #distance(row: readonly FieldValue[], other: readonly FieldValue[]): number {
    let largest = 0;
    for (const [field, value] of row.entries()) {
      if (typeof value !== "number" || value === other[field]) continue;
      largest = Math.max(largest, Math.abs(value - (other[field] as number)) / this.#ranges[field]!);
      if (!(largest <= this.#maxDistance)) return 1;
    }
    return largest;
  }

  #keyOf(index: number): string {
    return JSON.stringify(this.#rows[index]!.map((value) => (typeof value === "number" ? 0 : [value])));
  }
}
