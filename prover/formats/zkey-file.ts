import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { invertMod } from "../../circuits/field/modular.ts";
import { type G1Point, type G2RealFirst, realFirst } from "../../circuits/wire/groth16-proof.ts";
import { proverError } from "../prover-errors.ts";
import { baseModulus, fieldBytes, fromBytesLe, montgomeryR, scalarModulus } from "./bn254-wasm.ts";
import type { VerificationKey } from "./verification-key.ts";
import {
  circuitHashBytes,
  fileHeadBytes,
  g1Bytes,
  g2Bytes,
  layOutZkey,
  sectionHeadBytes,
  zkeySection,
} from "./zkey-layout.ts";

export interface ZkeyHeader {
  wireCount: number;
  publicCount: number;
  domainSize: number;
  coefficientCount: number;
  /** Contributions of the ceremony's second phase; development keys have none. */
  contributionCount: number;
  verificationKey: VerificationKey;
  fileBytes: number;
}

/**
 * Reads a proving key's header and verification key, and checks that every section is there whole. The
 * points themselves are not checked; `checkVerificationKey` is the caller's.
 *
 * @throws RollupError PRV_KEY_UNREADABLE
 */
export async function readZkeyHeader(path: string): Promise<ZkeyHeader> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw unreadable(path, "it cannot be opened", cause);
  }
  try {
    return await readOpenZkey(file, path);
  } finally {
    await file.close();
  }
}

/** sha256 of a file's bytes, hex. @throws RollupError PRV_KEY_UNREADABLE */
export async function hashKeyFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 }))
      hash.update(chunk as Buffer);
  } catch (cause) {
    throw unreadable(path, "it cannot be read", cause);
  }
  return hash.digest("hex");
}

async function readOpenZkey(file: FileHandle, path: string): Promise<ZkeyHeader> {
  const { size: fileBytes } = await file.stat();
  const read = async (position: number, byteCount: number) => {
    const bytes = Buffer.alloc(byteCount);
    const { bytesRead } = await file.read(bytes, 0, byteCount, position);
    if (bytesRead !== byteCount) throw unreadable(path, "it is cut off");
    return bytes;
  };

  const head = await read(0, fileHeadBytes);
  if (head.toString("latin1", 0, 4) !== "zkey") throw unreadable(path, "the magic number is not zkey");
  const positions = new Map<number, { position: number; byteCount: number }>();
  let at = fileHeadBytes;
  for (let i = head.readUInt32LE(8); i > 0; i--) {
    const section = await read(at, sectionHeadBytes);
    const byteCount = Number(section.readBigUInt64LE(4));
    positions.set(section.readUInt32LE(0), { position: at + sectionHeadBytes, byteCount });
    at += sectionHeadBytes + byteCount;
    if (at > fileBytes) throw unreadable(path, "it is cut off");
  }
  const section = (id: number) => {
    const found = positions.get(id);
    if (found === undefined) throw unreadable(path, `section ${id} is missing`);
    return found;
  };

  const headerAt = section(zkeySection.header);
  if ((await read(section(zkeySection.protocol).position, 4)).readUInt32LE(0) !== 1)
    throw unreadable(path, "it is not a Groth16 key");
  const fields = 2 * (4 + fieldBytes);
  const header = await read(headerAt.position, headerAt.byteCount);
  const isBn254 =
    header.length === fields + 12 + 3 * (g1Bytes + g2Bytes) &&
    fromBytesLe(header.subarray(4, 4 + fieldBytes)) === baseModulus &&
    fromBytesLe(header.subarray(8 + fieldBytes, fields)) === scalarModulus;
  if (!isBn254) throw unreadable(path, "it is not over bn254");
  const shape = {
    wireCount: header.readUInt32LE(fields),
    publicCount: header.readUInt32LE(fields + 4),
    domainSize: header.readUInt32LE(fields + 8),
    coefficientCount: (await read(section(zkeySection.coefficients).position, 4)).readUInt32LE(0),
  };
  const expected = layOutZkey(shape).byteCounts;
  for (const id of Object.values(zkeySection)) {
    // Contributions make the last section longer.
    if (id !== zkeySection.contributions && section(id).byteCount !== expected[id])
      throw unreadable(path, `section ${id} has the wrong size`);
  }
  const contributions = await read(section(zkeySection.contributions).position + circuitHashBytes, 4);
  const ic = await read(section(zkeySection.ic).position, expected[zkeySection.ic]!);
  const points = header.subarray(fields + 12);
  const beta2 = 2 * g1Bytes;
  return {
    ...shape,
    fileBytes,
    contributionCount: contributions.readUInt32LE(0),
    verificationKey: {
      alpha: decodeG1(points, 0),
      beta: decodeG2(points, beta2),
      gamma: decodeG2(points, beta2 + g2Bytes),
      delta: decodeG2(points, beta2 + 2 * g2Bytes + g1Bytes),
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

function decodeG2(bytes: Uint8Array, at: number): G2RealFirst {
  const coordinates = [0, 1, 2, 3].map((i) => decodeCoordinate(bytes, at + i * fieldBytes));
  const [x0, x1, y0, y1] = coordinates as [bigint, bigint, bigint, bigint];
  return realFirst([x0, x1], [y0, y1]);
}

function unreadable(path: string, reason: string, cause?: unknown) {
  return proverError("PRV_KEY_UNREADABLE", `${path} is not a readable proving key: ${reason}`, {
    data: { path, reason },
    cause,
  });
}
