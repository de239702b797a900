/**
 * Messages between a page (page-blobs.ts) and its worker that checks blobs, the data of a batch beside an Ethereum transaction
 * (blob-worker.ts).
 */
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";

/** Message to the worker that checks blobs: a blob's bytes, and the hash that they must have. */
export interface BlobTask {
  readonly bytes: Uint8Array;
  readonly versionedHash: VersionedHash;
}

/** The worker's answer. */
export type BlobAnswer =
  /** null: these are not the bytes that the hash names. */
  | { readonly kind: "checked"; readonly coefficients: bigint[] | null }
  | { readonly kind: "failed"; readonly message: string };
