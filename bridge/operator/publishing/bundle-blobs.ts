/** Blobs of ready batches as sidecars of a transaction, with a cache of 12; batch-bundle.ts counts and makes them. */
import { fromBytesBe } from "@openledger/circuits/field/element-vector";
import { type BlobSidecar, MAX_TRANSACTION_BLOBS } from "@openledger/contracts/l1/blob-transaction";
import { LRUCache } from "lru-cache";
import { hexToBytes } from "viem";
import type { BlobWork } from "../../blobs/blob-thread.ts";
import type { ReadyBatch } from "../operator-client.ts";

export type BlobMaker = (batches: readonly ReadyBatch[]) => Promise<BlobSidecar[]>;

/** Cached blobs: those of two transactions, 3 MB. */
const MAX_CACHED_BLOBS = 2 * MAX_TRANSACTION_BLOBS;

export function createBlobMaker(work: BlobWork): BlobMaker {
  const made = new LRUCache<string, BlobSidecar>({ max: MAX_CACHED_BLOBS });
  return async (batches) => {
    const sidecars: BlobSidecar[] = [];
    for (const { batchHash, blobElements } of batches) {
      if (blobElements === undefined) continue;
      const sidecar = made.get(batchHash) ?? (await work.blob(coefficientsOf(hexToBytes(blobElements))));
      made.set(batchHash, sidecar);
      sidecars.push(sidecar);
    }
    return sidecars;
  };
}

const coefficientsOf = (bytes: Uint8Array): bigint[] =>
  Array.from({ length: bytes.length / 32 }, (_, i) => fromBytesBe(bytes.subarray(32 * i, 32 * i + 32)));

/** Number of batches, from the first on, that have no more blobs than a transaction takes. */
export function countWithinBlobs(batches: readonly ReadyBatch[]): number {
  let blobs = 0;
  for (const [i, { blobElements }] of batches.entries()) {
    if (blobElements !== undefined) blobs += 1;
    if (blobs > MAX_TRANSACTION_BLOBS) return i;
  }
  return batches.length;
}
