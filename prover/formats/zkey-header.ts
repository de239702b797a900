/**
 * Header of a Groth16 proving key (snarkjs' .zkey): circuit sizes and verification key, with checks of every
 * section's presence and size. zkey-file.ts reads it from disk, single-thread.ts from memory.
 */
import { type G1Point, type G2RealFirst, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { invertMod } from "@openledger/foundation/modular";
import { proverError } from "../prover-errors.ts";
import { baseModulus, fieldBytes, fromBytesLe, montgomeryR, scalarModulus } from "./bn254-numbers.ts";
import type { VerificationKey } from "./verification-key.ts";
import {
  fileHeadBytes,
  g1Bytes,
  g2Bytes,
  layOutZkey,
  sectionHeadBytes,
  zkeyHeaderPoints,
  zkeySection,
} from "./zkey-layout.ts";

/** Sizes and points that a proving key's file begins with. */
export interface ZkeyHeader {
  /** Wires, the constant 1 included. */
  wireCount: number;
  /** Public signals, without the constant 1. */
  publicCount: number;
  /** Points of the evaluation domain, a power of two. */
  domainSize: number;
  /** Entries of the matrices A and B. */
  coefficientCount: number;
  verificationKey: VerificationKey;
  /** Points that a prover needs besides the verification key. */
  beta1: G1Point;
  delta1: G1Point;
  fileBytes: number;
}

/** A key's bytes, on the disk or in memory. */
interface ZkeyBytes {
  /** Name for errors. */
  readonly name: string;
  readonly fileBytes: number;
  /** Reads bytes: fewer than requested if the key ends earlier. */
  read(position: number, byteCount: number): Promise<Uint8Array>;
}

/**
 * Parses and checks a header, like `readZkeyHeader`, from bytes on the disk or in memory.
 * @throws RollupError PRV_KEY_INVALID
 */
export async function parseZkeyHeader(source: ZkeyBytes): Promise<ZkeyHeader> {
  const { name: path, fileBytes } = source;
  const read = async (position: number, byteCount: number) => {
    const bytes = await source.read(position, byteCount);
    if (bytes.length !== byteCount) throw unreadableKey(path, "it is cut off");
    return bytes;
  };
  const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (bytes: Uint8Array, at: number) => viewOf(bytes).getUint32(at, true);

  const head = await read(0, fileHeadBytes);
  if (String.fromCharCode(...head.subarray(0, 4)) !== "zkey")
    throw unreadableKey(path, "the magic number is not zkey");
  const positions = new Map<number, { position: number; byteCount: number }>();
  let at = fileHeadBytes;
  for (let i = u32(head, 8); i > 0; i--) {
    const section = await read(at, sectionHeadBytes);
    const byteCount = Number(viewOf(section).getBigUint64(4, true));
    positions.set(u32(section, 0), { position: at + sectionHeadBytes, byteCount });
    at += sectionHeadBytes + byteCount;
    if (at > fileBytes) throw unreadableKey(path, "it is cut off");
  }
  const section = (id: number) => {
    const found = positions.get(id);
    if (found === undefined) throw unreadableKey(path, `section ${id} is missing`);
    return found;
  };

  const headerAt = section(zkeySection.header);
  if (u32(await read(section(zkeySection.protocol).position, 4), 0) !== 1)
    throw unreadableKey(path, "it is not a Groth16 key");
  const fields = 2 * (4 + fieldBytes);
  const header = await read(headerAt.position, headerAt.byteCount);
  const isBn254 =
    header.length === fields + 12 + 3 * (g1Bytes + g2Bytes) &&
    fromBytesLe(header.subarray(4, 4 + fieldBytes)) === baseModulus &&
    fromBytesLe(header.subarray(8 + fieldBytes, fields)) === scalarModulus;
  if (!isBn254) throw unreadableKey(path, "it is not over bn254");
  const shape = {
    wireCount: u32(header, fields),
    publicCount: u32(header, fields + 4),
    domainSize: u32(header, fields + 8),
    coefficientCount: u32(await read(section(zkeySection.coefficients).position, 4), 0),
  };
  // Transforms of another size would leave their areas.
  if (!Number.isInteger(Math.log2(shape.domainSize)))
    throw unreadableKey(path, "its domain is no power of two");
  const expected = layOutZkey(shape).byteCounts;
  for (const id of Object.values(zkeySection)) {
    // Contributions make the last section longer.
    if (id !== zkeySection.contributions && section(id).byteCount !== expected[id])
      throw unreadableKey(path, `section ${id} has the wrong size`);
  }
  const ic = await read(section(zkeySection.ic).position, expected[zkeySection.ic]!);
  const { alpha1, beta1, beta2, gamma2, delta1, delta2 } = zkeyHeaderPoints(header);
  return {
    ...shape,
    fileBytes,
    beta1: decodeG1(beta1, 0),
    delta1: decodeG1(delta1, 0),
    verificationKey: {
      alpha: decodeG1(alpha1, 0),
      beta: decodeG2(beta2),
      gamma: decodeG2(gamma2),
      delta: decodeG2(delta2),
      ic: Array.from({ length: shape.publicCount + 1 }, (_, i) => decodeG1(ic, i * g1Bytes)),
    },
  };
}

const inverseR = invertMod(montgomeryR, baseModulus);

function decodeCoordinate(bytes: Uint8Array, at: number): bigint {
  return (fromBytesLe(bytes.subarray(at, at + fieldBytes)) * inverseR) % baseModulus;
}

function decodeG1(bytes: Uint8Array, at: number): G1Point {
  return [decodeCoordinate(bytes, at), decodeCoordinate(bytes, at + fieldBytes)];
}

function decodeG2(bytes: Uint8Array): G2RealFirst {
  const coordinates = [0, 1, 2, 3].map((i) => decodeCoordinate(bytes, i * fieldBytes));
  const [x0, x1, y0, y1] = coordinates as [bigint, bigint, bigint, bigint];
  return realFirst([x0, x1], [y0, y1]);
}

/** Error of a key's file that cannot be read. */
export function unreadableKey(path: string, reason: string, cause?: unknown) {
  return proverError("PRV_KEY_INVALID", `${path} is not a readable proving key: ${reason}`, {
    data: { path, reason },
    cause,
  });
}
