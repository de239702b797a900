import { addAll, IDENTITY_U, type MontgomeryPoints } from "../../field/curve/montgomery-points.ts";
import { FIELD_ORDER } from "../../protocol.ts";

const DIGIT_BITS = 8;
const HALF = 1 << (DIGIT_BITS - 1);

/**
 * Σ scalars[i] · points[i], one point. Scalars are cut into signed digits of eight bits, and points of the same digit are
 * added in pairs, all pairs at once (Pippenger): about 7 µs for each point and digit.
 * @param scalars integers of less than 2^30
 */
export function sumOfMultiples(
  points: Readonly<MontgomeryPoints>,
  scalars: readonly number[],
): MontgomeryPoints {
  const planes: number[][] = [];
  let rest = [...scalars];
  while (rest.some((scalar) => scalar !== 0)) {
    const digits = rest.map((scalar) => ((scalar + HALF) & (2 * HALF - 1)) - HALF);
    planes.push(digits);
    rest = rest.map((scalar, i) => (scalar - digits[i]!) / (2 * HALF));
  }
  const buckets = planes.map((digits) => bucketSums(points, digits));
  // Σ_b b · bucket_b of every plane, as the sum of the sums from the top.
  const running = identities(planes.length);
  const totals = identities(planes.length);
  for (let b = HALF; b >= 1; b--) {
    addAll(running, {
      u: buckets.map(({ u }) => u[b]!),
      v: buckets.map(({ v }) => v[b]!),
    });
    addAll(totals, running);
  }
  const sum = identities(1);
  for (let plane = planes.length - 1; plane >= 0; plane--) {
    for (let bit = 0; bit < DIGIT_BITS; bit++) addAll(sum, sum);
    addAll(sum, { u: [totals.u[plane]!], v: [totals.v[plane]!] });
  }
  return sum;
}

/** Of each b from 0 to HALF, the sum of the points whose digit is b, less that of those with −b. */
function bucketSums(points: Readonly<MontgomeryPoints>, digits: readonly number[]): MontgomeryPoints {
  let lists = Array.from({ length: HALF + 1 }, () => empty());
  for (const [i, digit] of digits.entries()) {
    if (digit === 0) continue;
    const list = lists[Math.abs(digit)]!;
    const v = points.v[i]!;
    list.u.push(points.u[i]!);
    list.v.push(digit > 0 || v === 0n ? v : FIELD_ORDER - v);
  }
  while (lists.some(({ u }) => u.length > 1)) {
    const [left, right] = [empty(), empty()];
    for (const { u, v } of lists) {
      for (let i = 1; i < u.length; i += 2) {
        left.u.push(u[i - 1]!);
        left.v.push(v[i - 1]!);
        right.u.push(u[i]!);
        right.v.push(v[i]!);
      }
    }
    addAll(left, right);
    let at = 0;
    lists = lists.map(({ u, v }) => {
      const pairCount = u.length >> 1;
      const next = { u: left.u.slice(at, at + pairCount), v: left.v.slice(at, at + pairCount) };
      at += pairCount;
      if (u.length % 2 === 1) {
        next.u.push(u.at(-1)!);
        next.v.push(v.at(-1)!);
      }
      return next;
    });
  }
  return { u: lists.map(({ u }) => u[0] ?? IDENTITY_U), v: lists.map(({ v }) => v[0] ?? 0n) };
}

const empty = (): MontgomeryPoints => ({ u: [], v: [] });
const identities = (count: number): MontgomeryPoints => ({
  u: Array<bigint>(count).fill(IDENTITY_U),
  v: Array<bigint>(count).fill(0n),
});
