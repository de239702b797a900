/**
 * The engine's arithmetic on single numbers: floats of 32 bits, rounded to the nearest, ties to even. Sums, products,
 * quotients and roots of doubles that are floats, rounded once more, are the right floats; a fused multiply-add is not,
 * and takes more care. contracts/disputes/base/FloatMath.sol has the same.
 */
const one = Math.fround;
const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);
const doubles = new Float64Array(1);
const halves = new Uint32Array(doubles.buffer);

export function bitsOf(value: number): number {
  floats[0] = value;
  return Number.isNaN(value) ? 0x7fc00000 : bits[0]!;
}

export function floatOf(word: number): number {
  bits[0] = word;
  return floats[0]!;
}

/** x y + z, rounded once. */
export function fused(x: number, y: number, z: number): number {
  // 48 bits: exact.
  const product = x * y;
  const sum = product + z;
  const back = sum - product;
  const error = product - (sum - back) + (z - back);
  if (error === 0 || !Number.isFinite(sum)) return one(sum);
  // The sum rounded to odd: then rounding it again cannot be misled by a tie that is none.
  doubles[0] = sum;
  if ((halves[0]! & 1) === 0) {
    const isAway = error > 0 === sum > 0;
    if (isAway) halves[0] = halves[0]! | 1;
    else if (halves[0] === 0) {
      halves[0] = 0xffffffff;
      halves[1] = halves[1]! - 1;
    } else halves[0] = halves[0]! - 1;
  }
  return one(doubles[0]!);
}

export const times = (x: number, y: number): number => one(x * y);
export const plus = (x: number, y: number): number => one(x + y);
export const minus = (x: number, y: number): number => one(x - y);
export const over = (x: number, y: number): number => one(x / y);
export const root = (x: number): number => one(Math.sqrt(x));

const C = Float32Array.from([
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the engine's, to its last digit
  1.44269504, 12_582_912, 0.693359375, -2.1219444e-4, 1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3,
  4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]);

/** e^x as the engine's polynomial has it (../kernels/native/src/lane-kernels.h). */
export function exponential(given: number): number {
  const x = Math.min(88, Math.max(-87, given));
  const shifted = one(one(x * C[0]!) + C[1]!);
  const exponent = bitsOf(shifted) << 23;
  const n = one(shifted - C[1]!);
  let f = one(x - one(n * C[2]!));
  f = one(f - one(n * C[3]!));
  let p = one(one(f * C[4]!) + C[5]!);
  for (let k = 6; k < 10; k++) p = one(one(p * f) + C[k]!);
  p = one(one(one(one(p * f) * f) + f) + 1);
  return floatOf((bitsOf(p) + exponent) >>> 0);
}

export const sigmoid = (x: number): number => over(1, plus(exponential(-x), 1));
