/**
 * Blob and its opening at z, as L1 takes both with a batch. The blob is made before the statement, because its
 * hash enters z. The sequencer makes both when it closes a batch.
 */

import { type BatchData, BLOB_OPENING_BYTES, encodeWire } from "../batch/batch-data.ts";
import { circuitError } from "../circuit-errors.ts";
import { concatBytes, fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { isBlobShape } from "../protocol.ts";
import { type BatchStatement, batchStatement } from "./batch-statement.ts";
import { versionedHashOf } from "./blob-bytes.ts";
import { blobElements } from "./blob-elements.ts";
import { type BlobOpening, commitBlobNow, KZG_POINT_BYTES, openBlobNow, preloadKzg } from "./kzg.ts";

interface PostedOpening extends BlobOpening {
  /** 48 bytes. */
  readonly commitment: Uint8Array;
}

/** Statement and posted data of a batch of any shape. */
interface StatedBatch {
  readonly statement: BatchStatement;
  readonly wire: Uint8Array;
  /** Versioned hash of the blob; null if the batch has none. */
  readonly versionedHash: `0x${string}` | null;
}

/** Loads the KZG setup if the batch has a blob, then calls `stateBatchNow`. */
export async function stateBatch(
  batch: BatchData,
  circuitId: bigint,
  batchCommitment: bigint,
): Promise<StatedBatch> {
  if (isBlobShape(batch.shape)) await preloadKzg();
  return stateBatchNow(batch, circuitId, batchCommitment);
}

/**
 * A blob takes a second or so.
 * @param batchCommitment C
 * @throws RangeError if the batch has a blob, and `preloadKzg` was not awaited
 */
export function stateBatchNow(batch: BatchData, circuitId: bigint, batchCommitment: bigint): StatedBatch {
  if (!isBlobShape(batch.shape)) {
    const statement = batchStatement(batch, circuitId, batchCommitment);
    return { statement, wire: encodeWire(batch), versionedHash: null };
  }
  const elements = blobElements(batch);
  const commitment = commitBlobNow(elements);
  const versionedHash = versionedHashOf(commitment);
  const statement = batchStatement(batch, circuitId, batchCommitment, BigInt(versionedHash));
  const opening = openBlobNow(elements, statement.z);
  return { statement, wire: encodeWire(batch, encodeOpening({ ...opening, commitment })), versionedHash };
}

export const encodeOpening = ({ y, commitment, proof }: PostedOpening): Uint8Array =>
  concatBytes([toBytesBe(y, 32), commitment, proof]);

/** @param wire the posted bytes of a batch with a blob @throws CIR_WIRE_MALFORMED */
export function readOpening(wire: Uint8Array): PostedOpening {
  if (wire.length < BLOB_OPENING_BYTES)
    throw circuitError("CIR_WIRE_MALFORMED", `${wire.length} bytes do not hold a blob's opening`, {
      data: { sizeBytes: wire.length },
    });
  const opening = wire.subarray(wire.length - BLOB_OPENING_BYTES);
  const commitment = opening.slice(32, 32 + KZG_POINT_BYTES);
  return {
    y: fromBytesBe(opening.subarray(0, 32)),
    commitment,
    proof: opening.slice(32 + KZG_POINT_BYTES),
  };
}
