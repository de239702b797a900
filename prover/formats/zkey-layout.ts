/**
 * Layout of a snarkjs Groth16 key over bn254 (snarkjs/src/zkey_utils.js): the magic "zkey",
 * version, section count, then sections of id (u32), byte count (u64) and content, all little-endian.
 *
 *   1 protocol        4 coefficients of A and B   7 B in G2     10 contributions
 *   2 header          5 A in G1                   8 C in G1
 *   3 IC in G1        6 B in G1                   9 H in G1
 */
import { baseModulus, fieldBytes, scalarModulus, toBytesLe } from "./bn254-numbers.ts";
import { coefficientBytes } from "./setup-kernels.ts";

/** Section numbers. */
export const zkeySection = {
  protocol: 1,
  header: 2,
  ic: 3,
  coefficients: 4,
  a: 5,
  b1: 6,
  b2: 7,
  c: 8,
  h: 9,
  contributions: 10,
} as const;
/** Bytes of an affine point of G1. */
export const g1Bytes = 2 * fieldBytes;
/** Bytes of an affine point of G2. */
export const g2Bytes = 4 * fieldBytes;
/** Bytes of the circuit's hash, before the contributions. */
export const circuitHashBytes = 64;
/** Number of Groth16 in the protocol section. */
const groth16Protocol = 1;
/** Bytes of a section's id and length. */
export const sectionHeadBytes = 12;
/** Bytes of the magic number, version and section count. */
export const fileHeadBytes = 12;

interface ZkeyShape {
  wireCount: number;
  /** Public signals, without the constant 1. */
  publicCount: number;
  /** A power of two, at least constraintCount + publicCount + 1. */
  domainSize: number;
  /** Non-zero entries of A and B, plus one for each public wire. */
  coefficientCount: number;
}

export interface ZkeyLayout {
  /** Position in the file of each section's content, by section id. */
  positions: Record<number, number>;
  byteCounts: Record<number, number>;
  fileBytes: number;
}

/** The layout of a key without contributions. */
export function layOutZkey(shape: ZkeyShape): ZkeyLayout {
  const byteCounts: Record<number, number> = {
    [zkeySection.protocol]: 4,
    [zkeySection.header]: 2 * (4 + fieldBytes) + 12 + 3 * g1Bytes + 3 * g2Bytes,
    [zkeySection.ic]: (shape.publicCount + 1) * g1Bytes,
    [zkeySection.coefficients]: 4 + shape.coefficientCount * coefficientBytes,
    [zkeySection.a]: shape.wireCount * g1Bytes,
    [zkeySection.b1]: shape.wireCount * g1Bytes,
    [zkeySection.b2]: shape.wireCount * g2Bytes,
    [zkeySection.c]: (shape.wireCount - shape.publicCount - 1) * g1Bytes,
    [zkeySection.h]: shape.domainSize * g1Bytes,
    [zkeySection.contributions]: circuitHashBytes + 4,
  };
  const positions: Record<number, number> = {};
  let at = fileHeadBytes;
  for (const id of Object.values(zkeySection)) {
    positions[id] = at + sectionHeadBytes;
    at += sectionHeadBytes + byteCounts[id]!;
  }
  return { positions, byteCounts, fileBytes: at };
}

interface ZkeyHeaderPoints {
  alpha1: Uint8Array;
  beta1: Uint8Array;
  beta2: Uint8Array;
  gamma2: Uint8Array;
  delta1: Uint8Array;
  delta2: Uint8Array;
}

/** Slices the points from the end of a header section. */
export function zkeyHeaderPoints(header: Uint8Array): ZkeyHeaderPoints {
  const points = header.subarray(-3 * (g1Bytes + g2Bytes));
  const [g1, g2] = [g1Bytes, g2Bytes].map((byteCount) => (at: number) => points.subarray(at, at + byteCount));
  const [beta2, delta1] = [2 * g1Bytes, 2 * (g1Bytes + g2Bytes)];
  return {
    alpha1: g1!(0),
    beta1: g1!(g1Bytes),
    beta2: g2!(beta2),
    gamma2: g2!(beta2 + g2Bytes),
    delta1: g1!(delta1),
    delta2: g2!(delta1 + g1Bytes),
  };
}

/** Encodes all that is not in sections 3 to 9, as pieces with their positions in the file. */
export function encodeZkeyFrame(
  shape: ZkeyShape,
  points: ZkeyHeaderPoints,
  circuitHash: Uint8Array,
): { position: number; bytes: Uint8Array }[] {
  const { positions, byteCounts } = layOutZkey(shape);
  const u32 = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
    return bytes;
  };
  const heads = Object.values(zkeySection).map((id) => {
    const bytes = Buffer.alloc(sectionHeadBytes);
    bytes.writeUInt32LE(id, 0);
    bytes.writeBigUInt64LE(BigInt(byteCounts[id]!), 4);
    return { position: positions[id]! - sectionHeadBytes, bytes };
  });
  const header = Buffer.concat([
    u32(fieldBytes),
    toBytesLe(baseModulus),
    u32(fieldBytes),
    toBytesLe(scalarModulus),
    u32(shape.wireCount, shape.publicCount, shape.domainSize),
    points.alpha1,
    points.beta1,
    points.beta2,
    points.gamma2,
    points.delta1,
    points.delta2,
  ]);
  return [
    { position: 0, bytes: Buffer.concat([Buffer.from("zkey"), u32(1, heads.length)]) },
    ...heads,
    { position: positions[zkeySection.protocol]!, bytes: u32(groth16Protocol) },
    { position: positions[zkeySection.header]!, bytes: header },
    { position: positions[zkeySection.coefficients]!, bytes: u32(shape.coefficientCount) },
    { position: positions[zkeySection.contributions]!, bytes: Buffer.concat([circuitHash, u32(0)]) },
  ];
}
