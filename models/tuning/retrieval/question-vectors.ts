/**
 * Vectors of questions as integers, by which a row whose question has the prompt's meaning in other words is found. Made once by a
 * sentence encoder, in the index; of a prompt when it is asked. find-rows.ts compares them.
 */

/** Digits of a question's vector, −127 … 127. */
export type EncodeQuestion = (question: string) => Int8Array;

const MAX_DIGIT = 127;

/** Rounds a vector's first components in parts of the largest: products and comparisons alone, no root. */
export function vectorDigits(components: Float64Array, dimensions: number): Int8Array {
  const own = components.subarray(0, dimensions);
  const largest = own.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return Int8Array.from(own, (value) =>
    largest === 0 ? 0 : Math.floor((MAX_DIGIT * value) / largest + 0.5),
  );
}

/**
 * Square of the cosine of two vectors of digits, 0 where they point away from each other. Both products are below 2^53 for 1,024
 * digits, so one division rounds: the same number on every machine.
 */
export function nearness(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (let k = 0; k < a.length; k++) {
    dot += a[k]! * b[k]!;
    squaresA += a[k]! * a[k]!;
    squaresB += b[k]! * b[k]!;
  }
  return dot <= 0 ? 0 : (dot * dot) / (squaresA * squaresB);
}

/** The row nearest to a vector, the first of equals. */
export interface NearestRow {
  readonly row: number;
  readonly nearness: number;
}

/** @param vectors of rows, null for those without a question @param without rows that are passed over; null: nothing is near */
export function nearestRow(
  vector: ArrayLike<number>,
  vectors: readonly (ArrayLike<number> | null)[],
  without: ReadonlySet<number> = new Set(),
): NearestRow | null {
  let best: NearestRow | null = null;
  for (const [row, other] of vectors.entries()) {
    if (other === null || without.has(row)) continue;
    const own = nearness(vector, other);
    if (own > (best?.nearness ?? 0)) best = { row, nearness: own };
  }
  return best;
}
