import type { Hex } from "viem";
import type { L1Client } from "../l1-client.ts";

/**
 * What a call that is only tried says of its blobs: their names, which the contract reads, and a fee, without which nodes
 * take none. The fee is never paid, but geth wants it twice: an account that could pay it, and no less than the market's.
 */
export async function namedBlobs(
  client: Pick<L1Client, "getBlobBaseFee">,
  blobs: readonly { readonly versionedHash: Hex }[],
): Promise<{ blobVersionedHashes?: Hex[]; maxFeePerBlobGas?: bigint }> {
  if (blobs.length === 0) return {};
  const blobVersionedHashes = blobs.map(({ versionedHash }) => versionedHash);
  return { blobVersionedHashes, maxFeePerBlobGas: 2n * (await client.getBlobBaseFee()) + 1n };
}
