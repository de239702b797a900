/**
 * Checks a blob's bytes against the versioned hash that Ethereum names, by making the KZG commitment again. Whoever reads blobs
 * from others checks them so.
 */
import { decodeBlob, versionedHashOf } from "@openledger/circuits/blob/blob-bytes";
import { commitBlob } from "@openledger/circuits/blob/kzg";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { VersionedHash } from "./blob-source.ts";

/**
 * The coefficients, if these are the bytes that the hash names; null for any others. The polynomial's commitment is
 * made again: that of a blob of 1,536 elements takes a third of a full one's time.
 */
export async function checkedCoefficients(
  bytes: Uint8Array,
  versionedHash: VersionedHash,
): Promise<bigint[] | null> {
  let coefficients: bigint[];
  try {
    coefficients = decodeBlob(bytes);
  } catch (error) {
    if (!isRollupError(error, "CIR_BLOB_MALFORMED")) throw error;
    return null;
  }
  while (coefficients.at(-1) === 0n) coefficients.pop();
  return versionedHashOf(await commitBlob(coefficients)) === versionedHash ? coefficients : null;
}
