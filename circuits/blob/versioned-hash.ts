/** What names a blob. Apart from kzg.ts, so that a page that reads batches does not carry Ethereum's setup. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** As a transaction names its blob, and L1's BLOBHASH gives it. */
export function versionedHashOf(commitment: Uint8Array): `0x${string}` {
  const hash = sha256(commitment);
  hash[0] = 1;
  return `0x${bytesToHex(hash)}`;
}
