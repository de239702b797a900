/**
 * Binary form of rows and of lists of rows in requests between clients and Datanet hosts. A list: 32 bytes a row, its SHA-256.
 * A version's list: 38 bytes a row, SHA-256, contributor and validator as 24-bit numbers. Rows: for each its length as uint32,
 * then its bytes. All big-endian.
 */

import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { headBytesOf } from "@openledger/attribution/rows/salted-rows";
import { digestToField, type VersionRow } from "@openledger/circuits/ledger/version-rows";
import { rowNumber } from "@openledger/foundation/row-number";
import { datanetError } from "../datanet-errors.ts";

export const DIGEST_BYTES = 32;
export const VERSION_ROW_BYTES = 38;

/** A version's row as hosts and stores name it: by SHA-256, 64 hexadecimal digits. */
export interface ListedRow {
  readonly digest: string;
  readonly contributorId: number;
  readonly validatorId: number;
}

export function encodeDigests(digests: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES * digests.length);
  for (const [i, digest] of digests.entries()) bytes.set(hexToBytes(digest), DIGEST_BYTES * i);
  return bytes;
}

/** @throws SRV_BAD_REQUEST if the bytes are no list of digests */
export const requireDigests = (bytes: Uint8Array): void => requireWhole(bytes, DIGEST_BYTES);

/** @throws SRV_BAD_REQUEST */
export function decodeDigests(bytes: Uint8Array): string[] {
  requireWhole(bytes, DIGEST_BYTES);
  return Array.from({ length: bytes.length / DIGEST_BYTES }, (_, i) =>
    bytesToHex(bytes.subarray(DIGEST_BYTES * i, DIGEST_BYTES * (i + 1))),
  );
}

/** Row hashes as trees have them. @throws SRV_BAD_REQUEST */
export function rowHashesOf(digests: Uint8Array): bigint[] {
  requireWhole(digests, DIGEST_BYTES);
  return Array.from({ length: digests.length / DIGEST_BYTES }, (_, i) =>
    digestToField(digests.subarray(DIGEST_BYTES * i, DIGEST_BYTES * (i + 1))),
  );
}

export function encodeVersion(rows: readonly ListedRow[]): Uint8Array {
  const bytes = new Uint8Array(VERSION_ROW_BYTES * rows.length);
  const view = new DataView(bytes.buffer);
  for (const [i, { contributorId, digest, validatorId }] of rows.entries()) {
    const at = VERSION_ROW_BYTES * i;
    bytes.set(hexToBytes(digest), at);
    view.setUint16(at + 32, contributorId >>> 8);
    view.setUint8(at + 34, contributorId & 0xff);
    view.setUint16(at + 35, validatorId >>> 8);
    view.setUint8(at + 37, validatorId & 0xff);
  }
  return bytes;
}

/** @throws SRV_BAD_REQUEST */
export function decodeVersion(bytes: Uint8Array): ListedRow[] {
  requireWhole(bytes, VERSION_ROW_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / VERSION_ROW_BYTES }, (_, i) => {
    const at = VERSION_ROW_BYTES * i;
    return {
      digest: bytesToHex(bytes.subarray(at, at + 32)),
      contributorId: (view.getUint16(at + 32) << 8) | view.getUint8(at + 34),
      validatorId: (view.getUint16(at + 35) << 8) | view.getUint8(at + 37),
    };
  });
}

/** The rows of a version as its tree has them. */
export function versionRowsOf(rows: readonly ListedRow[]): VersionRow[] {
  return rows.map(({ contributorId, digest, validatorId }) => ({
    rowHash: digestToField(hexToBytes(digest)),
    contributorId,
    validatorId,
  }));
}

export function encodeRows(rows: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + 4 + row.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const row of rows) {
    view.setUint32(at, row.length);
    bytes.set(row, at + 4);
    at += 4 + row.length;
  }
  return bytes;
}

/** The rows as parts of `bytes`. @throws SRV_BAD_REQUEST, SRV_TOO_LARGE */
export function decodeRows(bytes: Uint8Array, limits: { readonly maxRowBytes: number }): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rows: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw cutOff(rows.length);
    const length = view.getUint32(at);
    // A limit is of the content: a salt and notes come on top.
    if (length - headBytesOf(bytes.subarray(at + 4)) > limits.maxRowBytes) {
      throw datanetError("SRV_TOO_LARGE", `row ${rowNumber(rows.length)} has ${length} bytes`, {
        data: { what: "row", bytes: length, maxBytes: limits.maxRowBytes },
      });
    }
    if (at + 4 + length > bytes.length) throw cutOff(rows.length);
    rows.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return rows;
}

function requireWhole(bytes: Uint8Array, size: number): void {
  if (bytes.length % size !== 0)
    throw datanetError("SRV_BAD_REQUEST", `${bytes.length} bytes are no list of ${size} bytes a row`);
}

const cutOff = (row: number) =>
  datanetError("SRV_BAD_REQUEST", `the rows end within row ${rowNumber(row)}`, { data: { row } });
