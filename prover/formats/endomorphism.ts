/**
 * The curve's endomorphism, which halves the windows of sums of scalar times point: (x, y) -> (beta x, y) multiplies
 * points of both groups by lambda, so a scalar k splits into k1 + k2 lambda with halves of 126 bits (Gallant,
 * Lambert, Vanstone 2001). The WebAssembly and the WebGPU prover build their kernels of these constants.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { powMod } from "@openledger/foundation/modular";
import { baseModulus, scalarModulus } from "./bn254-numbers.ts";

/** Scalar by which the endomorphism multiplies: a cube root of 1 modulo the groups' order. */
export const lambda = cubeRoot(scalarModulus);

/** Finds a root of x^2 + x + 1. */
function cubeRoot(modulus: bigint): bigint {
  for (let base = 2n; ; base++) {
    const root = powMod(base, (modulus - 1n) / 3n, modulus);
    if (root !== 1n) return root;
  }
}

/**
 * Short vectors (a, b), two of them, with a + b lambda = 0 modulo the group's order, from Euclid's
 * remainders.
 */
function shortVectors(): [[bigint, bigint], [bigint, bigint]] {
  let [r0, r1] = [scalarModulus, lambda];
  let [t0, t1] = [0n, 1n];
  while (r1 * r1 > scalarModulus) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [t0, t1] = [t1, t0 - quotient * t1];
  }
  const first: [bigint, bigint] = [r1, -t1];
  const quotient = r0 / r1;
  const next: [bigint, bigint] = [r0 - quotient * r1, -(t0 - quotient * t1)];
  const previous: [bigint, bigint] = [r0, -t0];
  const length = ([a, b]: [bigint, bigint]) => a * a + b * b;
  return [first, length(previous) < length(next) ? previous : next];
}

const [[a1, b1], [a2, b2]] = shortVectors();
const determinant = a1 * b2 - a2 * b1;

/**
 * Constants of a split: c1 = round(k g1 / 2^256), c2 = round(k g2 / 2^256), k1 = k - c1 a1 - c2 a2, k2 = -c1 b1 - c2 b2.
 * Any of them may be negative.
 */
export const splitConstants = { a1, b1, a2, b2, g1: scaled(b2), g2: scaled(-b1) } as const;

/** Bits of a half: halves stay below 2^126, half of each vector plus the rounding. */
export const halfBits = 126;

/** Splits a scalar into k1 and k2, as the kernels do. */
export function splitScalar(scalar: bigint): [bigint, bigint] {
  const { g1, g2 } = splitConstants;
  const c1 = (scalar * g1 + (1n << 255n)) >> 256n;
  const c2 = (scalar * g2 + (1n << 255n)) >> 256n;
  return [scalar - c1 * a1 - c2 * a2, -c1 * b1 - c2 * b2];
}

function scaled(value: bigint): bigint {
  const numerator = 2n * value * (1n << 256n);
  const sign = determinant < 0n ? -1n : 1n;
  return floorDivide(sign * numerator + scalarModulus, 2n * scalarModulus);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** The cube roots of 1 in the base field by which lambda acts on each group's x. */
export function endomorphismBetas(): { g1: bigint; g2: bigint } {
  const { G1, G2 } = bn254;
  const root = cubeRoot(baseModulus);
  const other = baseModulus - 1n - root;
  const [base1, base2] = [G1.Point.BASE.toAffine(), G2.Point.BASE.toAffine()];
  // The bases themselves would make tables first, for one multiplication.
  const g1 = G1.Point.fromAffine(base1).multiplyUnsafe(lambda).toAffine().x;
  const g2 = G2.Point.fromAffine(base2).multiplyUnsafe(lambda).toAffine().x;
  const [x1, x2] = [base1.x, base2.x];
  return {
    g1: (x1 * root) % baseModulus === g1 ? root : other,
    g2: (x2.c0 * root) % baseModulus === g2.c0 ? root : other,
  };
}
