/**
 * Contributions to a key's second phase, read from its zkey file: `openledger ceremony` shows them, `openledger
 * deploy` refuses a key without one.
 */
import { createHash } from "node:crypto";
import { invertMod } from "@openledger/foundation/modular";
import { baseModulus, fieldBytes, fromBytesLe, montgomeryR, toBytesLe } from "../formats/bn254-numbers.ts";
import { unreadableKey } from "../formats/zkey-header.ts";
import { circuitHashBytes, g1Bytes, g2Bytes, zkeySection } from "../formats/zkey-layout.ts";
import { KeyFile } from "../wasm/key-file.ts";
import { readSections } from "../wasm/zkey-sections.ts";

/** A step of a key's second phase, as its zkey file lists it (snarkjs/src/zkey_utils.js, readMPCParams). */
export interface Contribution {
  /** ASCII, with "?" for every other character. */
  readonly name: string;
  /** snarkjs' "contribution hash" in hex, which a contributor publishes. */
  readonly hash: string;
  /** Public value of a beacon; null for a contributor's secret. */
  readonly beacon: { readonly hex: string; readonly iterationsExp: number } | null;
}

/** Bytes of a transcript's BLAKE2b hash. */
const transcriptBytes = 64;
/** delta after the step, s and s x in G1; the challenge times x in G2; the transcript's hash. */
const recordBytes = 3 * g1Bytes + g2Bytes + transcriptBytes;
/** Type of a contribution that is a public beacon. */
const beaconType = 1;
/** Ids of a contribution's parameters (zkey_utils.js). */
const parameter = { name: 1, iterationsExp: 2, beacon: 3 };

/**
 * Reads a key's contributions in their order. `verifyKey` tells whether they are true. @throws
 * PRV_KEY_INVALID
 */
export function readContributions(zkeyPath: string): Contribution[] {
  const bytes = readSection(zkeyPath);
  const take = takeFrom(bytes, zkeyPath);
  take(circuitHashBytes);
  return Array.from({ length: take(4).readUInt32LE() }, () => {
    const record = take(recordBytes);
    const type = take(4).readUInt32LE();
    const { beaconHex, iterationsExp, name } = readParameters(take(take(4).readUInt32LE()), zkeyPath);
    return {
      name,
      hash: contributionHash(record),
      beacon: type === beaconType ? { hex: beaconHex, iterationsExp } : null,
    };
  });
}

function readSection(zkeyPath: string): Buffer {
  const file = new KeyFile(zkeyPath);
  try {
    const { byteCount, position } = readSections(file)[zkeySection.contributions]!;
    const bytes = Buffer.alloc(byteCount);
    file.read(bytes, position);
    return bytes;
  } finally {
    file.close();
  }
}

/** Returns a function that reads the next bytes. */
function takeFrom(bytes: Buffer, zkeyPath: string): (byteCount: number) => Buffer {
  let at = 0;
  return (byteCount) => {
    const piece = bytes.subarray(at, at + byteCount);
    if (piece.length < byteCount) throw unreadableKey(zkeyPath, "its list of contributions is cut off");
    at += byteCount;
    return piece;
  };
}

function readParameters(bytes: Buffer, zkeyPath: string) {
  const found = { name: "", iterationsExp: 0, beaconHex: "" };
  const take = takeFrom(bytes, zkeyPath);
  for (let left = bytes.length; left > 0; ) {
    const id = take(1).readUInt8();
    const value = take(1).readUInt8();
    left -= 2;
    if (id === parameter.iterationsExp) {
      found.iterationsExp = value;
      continue;
    }
    const text = take(value);
    left -= value;
    // Attack: a stranger's name with control sequences for a terminal.
    if (id === parameter.name) found.name = text.toString("latin1").replace(/[^ -~]/g, "?");
    else if (id === parameter.beacon) found.beaconHex = text.toString("hex");
    else throw unreadableKey(zkeyPath, `a contribution has a parameter ${id}`);
  }
  return found;
}

function contributionHash(record: Buffer): string {
  const hash = createHash("blake2b512");
  const points = record.length - transcriptBytes;
  for (const [from, to] of [
    [0, g1Bytes],
    [g1Bytes, 2 * g1Bytes],
    [2 * g1Bytes, 3 * g1Bytes],
    [3 * g1Bytes, points],
  ] as const)
    hash.update(uncompressed(record.subarray(from, to)));
  return hash.update(record.subarray(points)).digest("hex");
}

const inverseR = invertMod(montgomeryR, baseModulus);

/** A point as snarkjs hashes it (`toRprUncompressed`): big-endian, in G2 the part with u first. */
function uncompressed(point: Uint8Array): Uint8Array {
  const out = new Uint8Array(point.length);
  const isG2 = point.length === g2Bytes;
  for (let i = 0; i < point.length / fieldBytes; i++) {
    const value = fromBytesLe(point.subarray(i * fieldBytes, (i + 1) * fieldBytes));
    const plain = toBytesLe((value * inverseR) % baseModulus).reverse();
    out.set(plain, (isG2 ? i ^ 1 : i) * fieldBytes);
  }
  return out;
}
