import type { Hex } from "viem";

/** What a call that is only tried says of its blobs: their names, which the contract reads; a node wants a fee beside them. */
export function namedBlobs(blobs: readonly { readonly versionedHash: Hex }[]) {
  if (blobs.length === 0) return {};
  const blobVersionedHashes = blobs.map(({ versionedHash }) => versionedHash);
  // viem's types know calls with the blobs themselves alone. The fee is never paid.
  return { blobVersionedHashes, maxFeePerBlobGas: 10n ** 18n } as object;
}
