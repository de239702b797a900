/**
 * Reads a posted batch with all its operations, from the posted bytes alone or with a blob: the step from L1's bytes to
 * `BatchData`, for everyone who replays L1.
 */
import {
  type BatchData,
  BLOB_OPENING_BYTES,
  decodeWire,
  type L1Header,
} from "@openledger/circuits/batch/batch-data";
import { BLOB_ELEMENT_COUNT, versionedHashOf } from "@openledger/circuits/blob/blob-bytes";
import { recordsOfBlob } from "@openledger/circuits/blob/blob-elements";
import { type BatchShape, isBlobShape } from "@openledger/circuits/protocol";
import type { BlobRequest, BlobSource, VersionedHash } from "./blob-source.ts";

export interface ReadBatch {
  readonly batch: BatchData;
  /** Versioned hash of the batch's blob; null where all of the batch is in the posted bytes. */
  readonly versionedHash: VersionedHash | null;
}

/**
 * Hash of the blob that L1 opened when it took these bytes. The precompile demands that commitment and versioned hash
 * belong together, so the bytes are enough, whatever a node tells of the transaction.
 * @param wire that decodeWire has read: it ends with value, commitment and proof
 */
export function postedBlobHash(wire: Uint8Array): VersionedHash {
  const opening = wire.subarray(wire.length - BLOB_OPENING_BYTES);
  return versionedHashOf(opening.subarray(32, 32 + 48)) as VersionedHash;
}

/**
 * @throws CIR_WIRE_MALFORMED, CIR_BLOB_MALFORMED for bytes that no proof takes: both are a malformed batch
 * (docs/explanation/data-availability.md); BRG_BLOB_* where nobody gives the blob
 */
export async function readPostedBatch(
  wire: Uint8Array,
  shape: BatchShape,
  header: L1Header,
  where: Omit<BlobRequest, "versionedHash"> & { readonly blobs: BlobSource },
): Promise<ReadBatch> {
  const head = decodeWire(wire, shape, header);
  if (!isBlobShape(shape)) return { batch: head, versionedHash: null };
  const { blobs, ...request } = where;
  const versionedHash = postedBlobHash(wire);
  const coefficients = await blobs.coefficients({ ...request, versionedHash });
  const elements = Array.from({ length: BLOB_ELEMENT_COUNT }, (_, i) => coefficients[i] ?? 0n);
  return { batch: { ...head, narrow: recordsOfBlob(elements, shape) }, versionedHash };
}
