/**
 * Encoding of values in the sequencer's LevelDB: a mark, a CRC-32, and the value. Values are v8's serialization; the two kinds
 * of which there are many have a form of their own, in a third of the bytes and of the time. LevelDB does not check its own
 * checksums when it reads, and its compression has none, so a flipped bit would come back as another value.
 */
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import { decodeBatch, encodeBatch } from "@openledger/circuits/wire/operation-batch";
import type { OperationEntry } from "./log-entry.ts";

const MARK = { v8: 0xc5, number: 0xc6, operation: 0xc7 } as const;
const HEADER_BYTES = 5;
const NUMBER_BYTES = 8;

/** Value encoding for `level`: v8's format preserves bigints. */
export const storeEncoding = {
  name: "v8-crc32",
  format: "buffer" as const,
  encode(value: unknown): Buffer {
    if (typeof value === "number") return encodeNumber(value);
    if (isOperation(value)) return withHeader(encodeEntry(value), MARK.operation);
    const body = serialize(value);
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + body.length);
    body.copy(bytes, HEADER_BYTES);
    return withHeader(bytes, MARK.v8);
  },
  /** @throws where the bytes are not those that were written */
  decode(data: Uint8Array): unknown {
    const body = checkedBody(data);
    if (data[0] === MARK.number) return body.readDoubleLE();
    return data[0] === MARK.operation ? decodeEntry(body) : deserialize(body);
  },
};

let lastNumber = Number.NaN;
let lastBytes: Buffer;

/** An operation's indices all have its sequence. LevelDB copies what it is given. */
function encodeNumber(value: number): Buffer {
  if (value === lastNumber) return lastBytes;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + NUMBER_BYTES);
  bytes.writeDoubleLE(value, HEADER_BYTES);
  lastBytes = withHeader(bytes, MARK.number);
  lastNumber = value;
  return lastBytes;
}

function withHeader(bytes: Buffer, mark: number): Buffer {
  bytes[0] = mark;
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_BYTES)), 1);
  return bytes;
}

/** The value's own bytes. @throws where they are not those that were written */
export function checkedBody(data: Uint8Array): Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const body = bytes.subarray(HEADER_BYTES);
  const isKnown = Object.values<number | undefined>(MARK).includes(bytes[0]);
  if (!isKnown || bytes.length <= HEADER_BYTES || crc32(body) !== bytes.readUInt32LE(1))
    throw new Error("the value's checksum is wrong: corruption");
  return body;
}

const isOperation = (value: unknown): value is OperationEntry =>
  typeof value === "object" && value !== null && (value as { type?: unknown }).type === "operation";

// An entry: hash, six numbers, the fee, and the operation as a body of one.
const HASH_BYTES = 32;
const NUMBERS = 6;
const FEE_BYTES = 16;
const OPERATION_AT = HASH_BYTES + NUMBERS * NUMBER_BYTES + FEE_BYTES;
/** Stored in place of a null `createdId`; ids begin at 0. */
const NO_ID = -1;

/** @returns the bytes, with room for a header before them */
function encodeEntry(entry: OperationEntry): Buffer {
  const operation = encodeBatch([entry.operation]);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + OPERATION_AT + operation.length);
  bytes.write(entry.hash.slice(2), HEADER_BYTES, "hex");
  let at = HEADER_BYTES + HASH_BYTES;
  const { acknowledgedAtMs, batchNumber, createdId, deadlineSeconds, opIndex, slot } = entry;
  for (const value of [batchNumber, slot, opIndex, createdId ?? NO_ID, deadlineSeconds, acknowledgedAtMs])
    at = bytes.writeDoubleLE(value, at);
  at = bytes.writeBigUInt64LE(entry.feeWei & 0xffff_ffff_ffff_ffffn, at);
  at = bytes.writeBigUInt64LE(entry.feeWei >> 64n, at);
  bytes.set(operation, at);
  return bytes;
}

function decodeEntry(body: Buffer): OperationEntry {
  const number = (i: number) => body.readDoubleLE(HASH_BYTES + i * NUMBER_BYTES);
  const feeAt = HASH_BYTES + NUMBERS * NUMBER_BYTES;
  return {
    type: "operation",
    hash: `0x${body.toString("hex", 0, HASH_BYTES)}`,
    operation: decodeBatch(body.subarray(OPERATION_AT))[0]!,
    batchNumber: number(0),
    slot: number(1),
    opIndex: number(2),
    createdId: number(3) === NO_ID ? null : number(3),
    feeWei: body.readBigUInt64LE(feeAt) | (body.readBigUInt64LE(feeAt + NUMBER_BYTES) << 64n),
    deadlineSeconds: number(4),
    acknowledgedAtMs: number(5),
  };
}
