/** Between proving keys and the rounds of a ceremony (prover/ceremony/round-file.ts). */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { recordBytes, splitRecord } from "../ceremony/contribution-record.ts";
import { type RoundShape, roundFileBytes, roundHeadBytes, splitRound } from "../ceremony/round-file.ts";
import { readZkeyHeader } from "../formats/zkey-file.ts";
import {
  circuitHashBytes,
  fileHeadBytes,
  g1Bytes,
  g2Bytes,
  sectionHeadBytes,
  zkeySection,
} from "../formats/zkey-layout.ts";
import { proverError } from "../prover-errors.ts";
import { KeyFile } from "../wasm/key-file.ts";
import { readSections } from "../wasm/zkey-sections.ts";

/** What a contributor is handed, and those before. */
export interface KeyRound {
  readonly shape: RoundShape;
  readonly circuitHash: Uint8Array;
  readonly round: Uint8Array;
  readonly records: readonly NamedRecord[];
}

/** A contribution as snarkjs' file has it. */
export interface NamedRecord {
  readonly record: Uint8Array;
  readonly name: string;
  /** Whether it is the public value that ends a ceremony. */
  readonly isBeacon?: boolean;
}

/** @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED for a key that has contributions */
export async function readFirstRound(zkeyPath: string): Promise<KeyRound> {
  const round = await readRound(zkeyPath);
  const contributionCount = round.records.length;
  if (contributionCount > 0)
    throw proverError("PRV_CEREMONY_REFUSED", `refused: ${zkeyPath} has contributions already`, {
      data: { zkeyPath, contributionCount },
    });
  return round;
}

/** @throws RollupError PRV_KEY_INVALID */
export async function readRound(zkeyPath: string): Promise<KeyRound> {
  const { domainSize, publicCount, wireCount } = await readZkeyHeader(zkeyPath);
  const shape = { pointCount: wireCount - publicCount - 1 + domainSize };
  const round = new Uint8Array(roundFileBytes(shape));
  const file = new KeyFile(zkeyPath);
  try {
    const sections = readSections(file);
    const at = (id: number) => sections[id]!.position;
    const deltaAt = deltaPosition(sections[zkeySection.header]!);
    file.read(round.subarray(0, g1Bytes), deltaAt);
    file.read(round.subarray(recordBytes, roundHeadBytes), deltaAt + g1Bytes);
    const half = roundHeadBytes + sections[zkeySection.c]!.byteCount;
    file.read(round.subarray(roundHeadBytes, half), at(zkeySection.c));
    file.read(round.subarray(half), at(zkeySection.h));
    return { shape, round, ...readContributions(zkeyPath) };
  } finally {
    file.close();
  }
}

/** Whose contributions a key has. @throws RollupError PRV_KEY_INVALID */
export function readContributions(zkeyPath: string): Pick<KeyRound, "circuitHash" | "records"> {
  const file = new KeyFile(zkeyPath);
  try {
    const { byteCount, position } = readSections(file)[zkeySection.contributions]!;
    const bytes = Buffer.alloc(byteCount);
    file.read(bytes, position);
    let at = circuitHashBytes + 4;
    const records = Array.from({ length: bytes.readUInt32LE(circuitHashBytes) }, () => {
      const end = at + recordBytes + 8;
      const isBeacon = bytes.readUInt32LE(end - 8) === 1;
      const record = new Uint8Array(bytes.subarray(at, at + recordBytes));
      at = end + bytes.readUInt32LE(end - 4);
      // Its name comes first, after a 1 and its length.
      const isNamed = at > end && bytes[end] === 1;
      const name = isNamed ? bytes.toString("utf8", end + 2, end + 2 + bytes[end + 1]!) : "";
      return { record, name, isBeacon };
    });
    return { circuitHash: new Uint8Array(bytes.subarray(0, circuitHashBytes)), records };
  } finally {
    file.close();
  }
}

/** Puts a key together from the first one and the last round; the file appears whole or not at all. */
export function writeRoundKey(
  firstPath: string,
  shape: RoundShape,
  round: Uint8Array,
  records: readonly NamedRecord[],
  zkeyPath: string,
): void {
  const { delta1, delta2, points } = splitRound(round, shape);
  const draft = `${zkeyPath}.${randomBytes(6).toString("hex")}`;
  const file = new KeyFile(firstPath);
  const out = openSync(draft, "w");
  try {
    const sections = readSections(file);
    const head = new Uint8Array(fileHeadBytes);
    file.read(head, 0);
    writeSync(out, head);
    for (const id of Object.values(zkeySection)) {
      const { byteCount, position } = sections[id]!;
      const content = () => {
        const bytes = new Uint8Array(byteCount);
        file.read(bytes, position);
        return bytes;
      };
      let bytes: Uint8Array;
      if (id === zkeySection.c) bytes = points.subarray(0, byteCount);
      else if (id === zkeySection.h) bytes = points.subarray(points.length - byteCount);
      else if (id === zkeySection.contributions)
        bytes = encodeContributions(content().subarray(0, circuitHashBytes), records);
      else if (id === zkeySection.header) {
        bytes = content();
        bytes.set(delta1, bytes.length - g1Bytes - g2Bytes);
        bytes.set(delta2, bytes.length - g2Bytes);
      } else bytes = content();
      const sectionHead = Buffer.alloc(sectionHeadBytes);
      sectionHead.writeUInt32LE(id, 0);
      sectionHead.writeBigUInt64LE(BigInt(bytes.length), 4);
      writeSync(out, sectionHead);
      for (let done = 0; done < bytes.length; ) done += writeSync(out, bytes, done);
    }
    fsyncSync(out);
    renameSync(draft, zkeyPath);
  } finally {
    closeSync(out);
    file.close();
    rmSync(draft, { force: true });
  }
}

/** delta in G1, then in G2, end the header. */
const deltaPosition = ({ byteCount, position }: { position: number; byteCount: number }) =>
  position + byteCount - g1Bytes - g2Bytes;

/** As snarkjs' writeMPCParams (src/zkey_utils.js). */
function encodeContributions(circuitHash: Uint8Array, records: readonly NamedRecord[]): Uint8Array {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const parts: Uint8Array[] = [circuitHash, u32(records.length)];
  for (const { name, record } of records) {
    splitRecord(record);
    const text = Buffer.from(name, "utf8");
    const named = text.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([1, text.length]), text]);
    parts.push(record, u32(0), u32(named.length), named);
  }
  return Buffer.concat(parts);
}
