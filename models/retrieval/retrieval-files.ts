/** What a retrieval model publishes beside its recipe: its rows' embeddings with their owners, and its words. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { PayeeOwners } from "@openledger/circuits/ledger/rewards";
import type { WordStatistics } from "./lexical-embedding.ts";

/** A row as answers name it. */
interface IndexedRow extends PayeeOwners {
  /** SHA-256 of the row's bytes: 64 hexadecimal digits. */
  readonly digest: string;
}

/** In the version's order. */
export interface RowIndex {
  readonly rows: readonly IndexedRow[];
  readonly dimensions: number;
  /** Rows × dimensions: the first columns of G. */
  readonly embeddings: Int8Array;
  /** What a row has to score for each unit of a query's length. */
  readonly threshold: number;
}

const HEAD_BYTES = 16;
const DIGEST_BYTES = 32;
const ROW_BYTES = DIGEST_BYTES + 8;

export const rowIndexBytes = (rowCount: number, dimensions: number): number =>
  HEAD_BYTES + rowCount * (ROW_BYTES + dimensions);
export const wordsBytes = (bucketCount: number): number => 12 + 4 * bucketCount;

/**
 * parameters.bin, little-endian: uint32 rows and dimensions, the threshold as a double; for each row its digest, then
 * contributor and validator as uint32; then the embeddings.
 */
export function encodeRowIndex({ dimensions, embeddings, rows, threshold }: RowIndex): Uint8Array {
  const bytes = new Uint8Array(rowIndexBytes(rows.length, dimensions));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, rows.length, true);
  view.setUint32(4, dimensions, true);
  view.setFloat64(8, threshold, true);
  for (const [row, { contributorId, digest, validatorId }] of rows.entries()) {
    const at = HEAD_BYTES + row * ROW_BYTES;
    bytes.set(hexToBytes(digest), at);
    view.setUint32(at + DIGEST_BYTES, contributorId, true);
    view.setUint32(at + DIGEST_BYTES + 4, validatorId, true);
  }
  bytes.set(
    new Uint8Array(embeddings.buffer, embeddings.byteOffset, embeddings.length),
    HEAD_BYTES + rows.length * ROW_BYTES,
  );
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeRowIndex(bytes: Uint8Array, dimensions: number): RowIndex {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rowCount = bytes.length < HEAD_BYTES ? 0 : view.getUint32(0, true);
  // Sizes are compared before anything is allocated: they come from the file.
  if (rowCount < 1 || bytes.length !== rowIndexBytes(rowCount, dimensions))
    throw broken("parameters.bin", `has ${bytes.length} bytes, which ${rowCount} rows do not fill`);
  if (view.getUint32(4, true) !== dimensions)
    throw broken(
      "parameters.bin",
      `has rows of ${view.getUint32(4, true)} numbers, the recipe of ${dimensions}`,
    );
  const threshold = view.getFloat64(8, true);
  if (!(threshold >= 0 && threshold < 2 ** 26)) throw broken("parameters.bin", "has no threshold");
  const rows = Array.from({ length: rowCount }, (_, row): IndexedRow => {
    const at = HEAD_BYTES + row * ROW_BYTES;
    return {
      digest: bytesToHex(bytes.subarray(at, at + DIGEST_BYTES)),
      contributorId: view.getUint32(at + DIGEST_BYTES, true),
      validatorId: view.getUint32(at + DIGEST_BYTES + 4, true),
    };
  });
  const embeddings = Int8Array.from(
    bytes.subarray(HEAD_BYTES + rowCount * ROW_BYTES),
    (byte) => (byte << 24) >> 24,
  );
  if (embeddings.includes(-128)) throw broken("parameters.bin", "has −128 among its embeddings");
  return { rows, dimensions, embeddings, threshold };
}

/** query-map.bin, little-endian: uint32 rows, the average length as a double, then the buckets as uint32. */
export function encodeWords({ averageLength, rowCount, rowsOfBucket }: WordStatistics): Uint8Array {
  const bytes = new Uint8Array(wordsBytes(rowsOfBucket.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, rowCount, true);
  view.setFloat64(4, averageLength, true);
  for (const [bucket, rows] of rowsOfBucket.entries()) view.setUint32(12 + 4 * bucket, rows, true);
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeWords(bytes: Uint8Array, bucketBits: number): WordStatistics {
  const bucketCount = 2 ** bucketBits;
  if (bytes.length !== wordsBytes(bucketCount))
    throw broken("query-map.bin", `has ${bytes.length} bytes, not those of ${bucketCount} buckets`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rowCount = view.getUint32(0, true);
  const averageLength = view.getFloat64(4, true);
  if (!(averageLength > 0 && Number.isFinite(averageLength)))
    throw broken("query-map.bin", "has no average length");
  const rowsOfBucket = Uint32Array.from({ length: bucketCount }, (_, k) => view.getUint32(12 + 4 * k, true));
  if (rowsOfBucket.some((rows) => rows > rowCount))
    throw broken("query-map.bin", "counts a word in more rows than there are");
  return { rowCount, averageLength, rowsOfBucket };
}

function broken(file: string, why: string) {
  return attributionError("ATT_MODEL_FILE_INVALID", `${file} ${why}`, { data: { file, why } });
}
