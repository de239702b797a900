/**
 * Exact search for similar rows of a table: rows that are nearly equal in every field. near-duplicates.ts finds copies with it in tables
 * without texts; those with texts are compared by their words.
 */
import type { FieldValue } from "./table-rows.ts";

/** Rows of fewer numbers are equal by chance too often: any two people of one town are. */
const MIN_NUMBERS = 3;

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

  constructor(rows: readonly (readonly FieldValue[])[], threshold: number) {
    this.#rows = rows;
    this.#maxDistance = 1 - threshold;
    this.#ranges = (rows[0] ?? []).map((_, field) => {
      const numbers = rows.map((row) => row[field]!).filter((value) => typeof value === "number");
      return (
        numbers.reduce((max, x) => Math.max(max, x), -Infinity) -
        numbers.reduce((min, x) => Math.min(min, x), Infinity)
      );
    });
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
