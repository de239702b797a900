/**
 * Numbers as counts: a number lies between two knots, which have a bucket each, and has three counts, shared between them by its distance
 * in thirds, so that near numbers have near counts. Tables' fields and pictures' numbers are counted by it.
 */
import { MAX_COUNT } from "./input-counter.ts";

/** Maximum knots of a number, each of which has a bucket. */
export const MAX_KNOTS = 32;

/**
 * Knots at quantiles, the least and the largest number among them, without repetition.
 * @param numbers at least one, ascending. @param count at least 2
 */
export function knotsAt(numbers: readonly number[], count: number): number[] {
  const last = numbers.length - 1;
  const knots = Array.from(
    { length: count },
    (_, k) => numbers[Math.floor((2 * k * last + count - 1) / (2 * (count - 1)))]!,
  );
  return [...new Set(knots)];
}

/** Counts of a number at its knots, three together; beyond the outer knots all three are in the outer one. @param knots ascending */
export function countsAt(value: number, knots: readonly number[]): { knot: number; count: number }[] {
  const last = knots.length - 1;
  const upper = knots.findIndex((knot) => knot > value);
  if (upper <= 0) return [{ knot: upper === 0 ? 0 : last, count: MAX_COUNT }];
  const [from, to] = [knots[upper - 1]!, knots[upper]!];
  // Halves, since the distance of two doubles may be more than the largest one; numbers too small for halves are at the lower knot.
  const part = (value / 2 - from / 2) / (to / 2 - from / 2);
  const above = Number.isFinite(part) ? Math.floor(part * MAX_COUNT + 0.5) : 0;
  return [
    { knot: upper - 1, count: MAX_COUNT - above },
    { knot: upper, count: above },
  ];
}
