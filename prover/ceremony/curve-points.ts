/**
 * Points of bn254 as a proving key has them (affine, Montgomery form with R = 2^256, little-endian; all zeros is
 * infinity), and as snarkjs hashes them (affine, big-endian, c1 before c0).
 */
import { bn254 } from "@noble/curves/bn254.js";
import { invertMod } from "@openledger/foundation/modular";
import { baseModulus, fieldBytes, fromBytesLe, montgomeryR, toBytesLe } from "../formats/bn254-numbers.ts";
import { proverError } from "../prover-errors.ts";

export const G1 = bn254.G1.Point;
export const G2 = bn254.G2.Point;
export type PointG1 = typeof G1.BASE;
export type PointG2 = typeof G2.BASE;

const inverseR = invertMod(montgomeryR, baseModulus);

/** @throws RollupError PRV_CONTRIBUTION_INVALID for infinity, a point off the curve, a coordinate above the modulus */
export function readG1(bytes: Uint8Array, name: string): PointG1 {
  const [x, y] = readCoordinates(bytes, name) as [bigint, bigint];
  return checked(G1.fromAffine({ x, y }), name);
}

/** Likewise; also refuses points outside the group of order r. */
export function readG2(bytes: Uint8Array, name: string): PointG2 {
  const [x0, x1, y0, y1] = readCoordinates(bytes, name) as [bigint, bigint, bigint, bigint];
  return checked(G2.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } }), name);
}

export function writeG1(point: PointG1): Uint8Array {
  const { x, y } = point.toAffine();
  return writeCoordinates([x, y]);
}

export function writeG2(point: PointG2): Uint8Array {
  const { x, y } = point.toAffine();
  return writeCoordinates([x.c0, x.c1, y.c0, y.c1]);
}

/** What snarkjs hashes (`toRprUncompressed`) of points as the key has them. @param isG2 by default what one point's size says */
export function hashedForm(bytes: Uint8Array, isG2 = bytes.length === 4 * fieldBytes): Uint8Array {
  const plain = readCoordinates(bytes, "point");
  const out = new Uint8Array(bytes.length);
  // Of G2 the part with u comes first.
  for (const [i, value] of plain.entries())
    out.set(toBytesLe(value).reverse(), (isG2 ? i ^ 1 : i) * fieldBytes);
  return out;
}

function readCoordinates(bytes: Uint8Array, name: string): bigint[] {
  return Array.from({ length: bytes.length / fieldBytes }, (_, i) => {
    const value = fromBytesLe(bytes.subarray(i * fieldBytes, (i + 1) * fieldBytes));
    if (value >= baseModulus) throw invalidContribution(`${name} is not a reduced point`);
    return (value * inverseR) % baseModulus;
  });
}

function writeCoordinates(values: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(values.length * fieldBytes);
  for (const [i, value] of values.entries())
    out.set(toBytesLe((value * montgomeryR) % baseModulus), i * fieldBytes);
  return out;
}

function checked<P extends { assertValidity(): void; is0(): boolean }>(point: P, name: string): P {
  try {
    if (!point.is0()) point.assertValidity();
  } catch (cause) {
    throw invalidContribution(`${name} is not on the curve`, { cause });
  }
  if (point.is0()) throw invalidContribution(`${name} is the point at infinity`);
  return point;
}

export function invalidContribution(reason: string, details: { cause?: unknown; data?: object } = {}) {
  return proverError("PRV_CONTRIBUTION_INVALID", `this is no contribution to these parameters: ${reason}`, {
    ...details,
    data: { reason, ...details.data },
  });
}
