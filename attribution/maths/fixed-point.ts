/** Numbers as bigint times 2^40: what disputes compute with (docs/explanation/disputes.md). */

/** A double as the nearest number in fixed point. Exact: doubles are binary fractions. */
export function toFixed40(value: number): bigint {
  const scaled = value * 2 ** 40;
  // Beyond 2^53 a double has no fraction, so nothing is rounded twice.
  return BigInt(Math.floor(scaled + (Math.abs(scaled) < 2 ** 52 ? 0.5 : 0)));
}
