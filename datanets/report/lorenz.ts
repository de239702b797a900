/**
 * How evenly an amount is shared: points of the Lorenz curve and the Gini number, by exact integers. Reports show with it who is
 * paid (report.ts).
 */
import { roundedRatio } from "./intervals.ts";

const MILLION = 1_000_000n;
/** Steps of a curve of more people than these. */
const MAX_STEPS = 100;

/** The poorest `people` of all have `ppm` of the whole, in parts per million. */
export interface LorenzPoint {
  readonly people: number;
  readonly ppm: number;
}

export interface Sharing {
  /** 0: all have the same; 1,000,000 − 1,000,000/n: one of n has everything. */
  readonly giniPpm: number;
  /** From no people to all, poorest first; of more than 100 people, 101 points. */
  readonly lorenz: readonly LorenzPoint[];
}

/**
 * G = Σ (2i − n − 1) xᵢ / (n Σ xᵢ) of ascending amounts, and the curve that it measures. C. Damgaard and J. Weiner, "Describing
 * inequality in plant size or fecundity", Ecology 81 (2000), 1139–1142; M. O. Lorenz, Publications of the American Statistical
 * Association 9 (1905), 209–219.
 * @param amounts ≥ 0, in any order @returns null where nobody has anything
 */
export function sharingOf(amounts: readonly bigint[]): Sharing | null {
  const ascending = amounts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const n = ascending.length;
  const total = ascending.reduce((sum, amount) => sum + amount, 0n);
  if (total === 0n) return null;
  let weighted = 0n;
  let sum = 0n;
  const sums = [0n];
  for (const [i, amount] of ascending.entries()) {
    weighted += BigInt(2 * i + 1 - n) * amount;
    sum += amount;
    sums.push(sum);
  }
  const steps = Math.min(n, MAX_STEPS);
  const lorenz = Array.from({ length: steps + 1 }, (_, step) => {
    const people = Math.floor((step * n) / steps);
    return { people, ppm: roundedRatio(sums[people]! * MILLION, total) };
  });
  return { giniPpm: roundedRatio(weighted * MILLION, BigInt(n) * total), lorenz };
}
