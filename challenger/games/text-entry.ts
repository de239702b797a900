/**
 * Which entries of G a row's real feature makes: the same rule as contracts/disputes/TextJudge.sol, in integers. Tests hold
 * the two equal.
 */

/** Half a unit of G, and 2^-20 of one for another machine's doubles: times 2^20. */
const TOLERANCE = (1n << 19n) + 1n;
/** Beyond so many powers of two a number is larger than all entries, or less than any tolerance. */
const MOST_SHIFT = 150n;
const INFINITY = 0x7f800000;

/**
 * Whether `given` is the rounding of a value within 2^-20 of number · factor / unit.
 *
 * @param number bits of a float @param factor times 2^40, below 2^64 @param unit bits of a double, positive and not subnormal
 */
export function isEntry(number: number, factor: bigint, unit: bigint, given: number): boolean {
  const size = number & 0x7fffffff;
  if (size >= INFINITY) return false;
  const exponent = size >>> 23;
  const [m, e] = exponent === 0 ? [size, 1] : [(size & 0x7fffff) | 0x800000, exponent];
  // number = ± m 2^(e - 150), unit = divisor 2^(exponent - 1075): both sides of |value - given| <= tolerance, times 2^20 unit.
  const divisor = (unit & 0xfffffffffffffn) | (1n << 52n);
  const exact = BigInt(e) - 150n - 40n - ((unit >> 52n) - 1075n) + 20n;
  const shift = exact > MOST_SHIFT ? MOST_SHIFT : exact < -MOST_SHIFT ? -MOST_SHIFT : exact;
  const sign = number >>> 31 === 1 ? -1n : 1n;
  const value = sign * BigInt(m) * factor;
  const wanted = (BigInt(given) * divisor) << 20n;
  const room = divisor * TOLERANCE;
  const gap = shift >= 0n ? (value << shift) - wanted : value - (wanted << -shift);
  const most = shift >= 0n ? room : room << -shift;
  return gap <= most && -gap <= most;
}
