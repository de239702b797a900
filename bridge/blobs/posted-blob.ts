/** What a batch's posted bytes say of its blob: their end, behind all that a batch in calldata has. */
import { KZG_POINT_BYTES, versionedHashOf } from "../../circuits/blob/kzg.ts";
import { RollupError } from "../../circuits/rollup-error.ts";
import type { VersionedHash } from "./blob-source.ts";

/** y_b, the commitment, the opening's proof. */
const TRAILER_BYTES = 32 + 2 * KZG_POINT_BYTES;

/**
 * The versioned hash of the blob that L1 opened when it took the batch: the precompile demands that commitment and hash
 * belong together, so the posted bytes are enough, whatever the node tells of the transaction.
 * @throws CIR_WIRE_MALFORMED
 */
export function blobHashOf(wire: Uint8Array): VersionedHash {
  if (wire.length < TRAILER_BYTES)
    throw new RollupError("CIR_WIRE_MALFORMED", `${wire.length} bytes hold no commitment to a blob`, {
      data: { sizeBytes: wire.length },
    });
  const at = wire.length - TRAILER_BYTES + 32;
  return versionedHashOf(wire.subarray(at, at + KZG_POINT_BYTES)) as VersionedHash;
}
