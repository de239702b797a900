import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";

export interface BlobTask {
  readonly bytes: Uint8Array;
  readonly versionedHash: VersionedHash;
}

export type BlobAnswer =
  /** null: these are not the bytes that the hash names. */
  | { readonly kind: "checked"; readonly coefficients: bigint[] | null }
  | { readonly kind: "failed"; readonly message: string };
