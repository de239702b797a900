/**
 * Confidence intervals of 95 % in whole numbers, so that everybody computes the same digits: no floating-point number is involved.
 * Bounds are rounded outwards. Reports of bias take them (report.ts).
 */

/** An estimate with its interval, in millionths of its unit. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

const MILLION = 1_000_000n;
/** Quantile 0.975 of the normal distribution, in millionths. */
const Z = 1_959_964n;
const Z_SQUARED = Z * Z;

/**
 * Wilson's score interval of a share, in parts per million. E. B. Wilson, "Probable inference, the law of succession, and statistical
 * inference", Journal of the American Statistical Association 22 (1927), 209–212: the shares p with |x/n − p| ≤ z √(p(1−p)/n), or
 * (2x + z² ± z √(z² + 4x(n−x)/n)) / 2(n + z²).
 * @param count x, 0 … total @param total n ≥ 1
 */
export function wilsonInterval(count: number, total: number): Interval {
  const [x, n] = [BigInt(count), BigInt(total)];
  // Everything times 10¹², as z² is.
  const centre = 2n * x * MILLION * MILLION + Z_SQUARED;
  const radicand = Z_SQUARED * (Z_SQUARED + ceilDiv(4n * x * (n - x) * MILLION * MILLION, n));
  const half = ceilRoot(radicand);
  const divisor = 2n * (n * MILLION * MILLION + Z_SQUARED);
  const low = ((centre - half) * MILLION) / divisor;
  const high = ceilDiv((centre + half) * MILLION, divisor);
  // At the ends the root is a whole one: a share of 0 has the bound 0.
  return {
    low: count === 0 ? 0 : Number(low < 0n ? 0n : low),
    high: count === total ? Number(MILLION) : Number(high > MILLION ? MILLION : high),
  };
}

/**
 * Quantile 0.975 of Student's t distribution for 1 … 30 degrees of freedom, in thousandths: NIST/SEMATECH e-Handbook of Statistical
 * Methods, section 1.3.6.7.2. More degrees of freedom have smaller quantiles, so the last one is on the safe side for them.
 */
const STUDENT = [
  12_706, 4_303, 3_182, 2_776, 2_571, 2_447, 2_365, 2_306, 2_262, 2_228, 2_201, 2_179, 2_160, 2_145, 2_131,
  2_120, 2_110, 2_101, 2_093, 2_086, 2_080, 2_074, 2_069, 2_064, 2_060, 2_056, 2_052, 2_048, 2_045, 2_042,
] as const;

/**
 * Student's interval of a mean: x̄ ± t s/√n, in the values' unit. NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.5.2.
 * @param values whole numbers ≥ 0 of a quantity that is never negative, so the lower bound is 0 at least
 * @returns null for fewer than two values: nothing is known of their spread
 */
export function meanInterval(values: readonly number[]): Interval | null {
  const n = BigInt(values.length);
  if (n < 2n) return null;
  const sum = values.reduce((total, value) => total + BigInt(value), 0n);
  const squares = values.reduce((total, value) => total + BigInt(value) ** 2n, 0n);
  const t = BigInt(STUDENT[Math.min(values.length - 1, STUDENT.length) - 1]!);
  // s² = (n Σx² − (Σx)²) / n(n − 1), and the half width is √(t² s²/n).
  const half = ceilRoot(ceilDiv(t * t * (n * squares - sum * sum), MILLION * n * n * (n - 1n)));
  const low = sum / n - half;
  return { low: Number(low < 0n ? 0n : low), high: Number(ceilDiv(sum, n) + half) };
}

/** Mean of whole numbers ≥ 0, rounded to the nearest, halves up. */
export function roundedMean(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + BigInt(value), 0n);
  return roundedRatio(sum, BigInt(values.length));
}

/** a/b rounded to the nearest whole number, halves up. @param a ≥ 0 @param b ≥ 1 */
export const roundedRatio = (a: bigint, b: bigint): number => Number((2n * a + b) / (2n * b));

/** @param a ≥ 0 @param b ≥ 1 */
const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** The least whole number whose square is n or more, by Newton's method. @param n ≥ 0 */
function ceilRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) break;
    root = next;
  }
  return root * root === n ? root : root + 1n;
}
