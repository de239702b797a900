/**
 * Blob fields of a simulated `submitBatches`: estimates of gas (rollup-contract.ts) and the publisher's trial
 * calls send them.
 */
import type { Hex } from "viem";
import type { L1Client } from "../l1-client.ts";

/**
 * Fields of a simulated call for its blobs: their names, which the contract reads, and a fee, without which nodes
 * refuse the call. The fee is never paid, but geth has two demands: the account could pay it, and it is no less than
 * the market's.
 */
export async function namedBlobs(
  client: Pick<L1Client, "getBlobBaseFee">,
  blobs: readonly { readonly versionedHash: Hex }[],
): Promise<{ blobVersionedHashes?: Hex[]; maxFeePerBlobGas?: bigint }> {
  if (blobs.length === 0) return {};
  const blobVersionedHashes = blobs.map(({ versionedHash }) => versionedHash);
  return { blobVersionedHashes, maxFeePerBlobGas: 2n * (await client.getBlobBaseFee()) + 1n };
}
