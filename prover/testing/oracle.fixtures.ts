/** Finds the native addon, and computes points and numbers by another library: the oracle of the native prover's tests. */
import { bn254 } from "@noble/curves/bn254.js";
import { baseModulus, fromBytesLe, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { loadNativeAddon, type NativeAddon, type NativePath } from "../native/native-addon.ts";

/** The addon where it is built; null, with the reason in the test's output, where it is not. */
export function findAddon(): { addon: NativeAddon | null; paths: NativePath[]; reason: string } {
  try {
    const addon = loadNativeAddon();
    return { addon, paths: addon.paths(), reason: "" };
  } catch (error) {
    const reason = (error as Error).message;
    console.warn(`Tests of the native prover are skipped: ${reason}`);
    return { addon: null, paths: [], reason };
  }
}

export function joinNumbers(values: readonly bigint[]): Buffer {
  return Buffer.concat(values.map(toBytesLe));
}

export function splitNumbers(bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    fromBytesLe(bytes.subarray(32 * i, 32 * i + 32)),
  );
}

export type G1 = InstanceType<typeof bn254.G1.Point>;
export type G2 = InstanceType<typeof bn254.G2.Point>;

const toMontgomery = (value: bigint) => (value << 256n) % baseModulus;

/** A point's coordinates as a zkey has them; zeros for the point at infinity. */
export function encodeG1(point: G1): Buffer {
  if (point.is0()) return Buffer.alloc(64);
  const { x, y } = point.toAffine();
  return joinNumbers([x, y].map(toMontgomery));
}

export function encodeG2(point: G2): Buffer {
  if (point.is0()) return Buffer.alloc(128);
  const { x, y } = point.toAffine();
  return joinNumbers([x.c0, x.c1, y.c0, y.c1].map(toMontgomery));
}

/** The plain coordinates that the addon returns for a sum. */
export function coordinatesG1(point: G1): bigint[] {
  if (point.is0()) return [0n, 0n];
  const { x, y } = point.toAffine();
  return [x, y];
}

export function coordinatesG2(point: G2): bigint[] {
  if (point.is0()) return [0n, 0n, 0n, 0n];
  const { x, y } = point.toAffine();
  return [x.c0, x.c1, y.c0, y.c1];
}

/** noble's multiplication refuses 0 and takes any scalar below r otherwise. */
export function multiplyG1(point: G1, scalar: bigint): G1 {
  return scalar === 0n || point.is0() ? bn254.G1.Point.ZERO : point.multiplyUnsafe(scalar);
}

export function multiplyG2(point: G2, scalar: bigint): G2 {
  return scalar === 0n || point.is0() ? bn254.G2.Point.ZERO : point.multiplyUnsafe(scalar);
}

/** Numbers that limbs, carries and conditional subtractions trip over. */
export function edgeValues(modulus: bigint): bigint[] {
  const powers = [1n, 51n, 52n, 53n, 63n, 64n, 65n, 104n, 128n, 156n, 192n, 208n, 209n, 252n, 253n];
  const values = [0n, 1n, 2n, 3n, (modulus - 1n) / 2n, (modulus + 1n) / 2n, modulus - 2n, modulus - 1n];
  for (const power of powers) values.push(1n << power, (1n << power) - 1n, modulus - (1n << power));
  return values.map((value) => ((value % modulus) + modulus) % modulus);
}

export const moduli = { base: baseModulus, scalar: scalarModulus };
