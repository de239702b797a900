/**
 * Empty blob with which the publisher (transaction-sender.ts) uses up a nonce of its account that Ethereum's nodes hold in
 * their pool of blob transactions. Nodes keep transactions with blobs in a pool of their own, and take none of an account there
 * that the other pool has one of, nor the other way round. So a nonce that waits in one of them is used up by its kind alone:
 * by a filler with a blob of zeros, where it has to be.
 */
import type { BlobSidecar } from "@openledger/contracts/l1/blob-transaction";
import { EMPTY_BLOB_HASH } from "../../blobs/blob-source.ts";

/** The point at infinity: commitment of the polynomial 0, and each of its proofs. */
const INFINITY = `0xc0${"00".repeat(47)}` as const;

/** The blob of zeros. Nothing of it has to be computed. */
export const EMPTY_BLOB: BlobSidecar = {
  versionedHash: EMPTY_BLOB_HASH,
  blob: `0x${"00".repeat(131_072)}`,
  commitment: INFINITY,
  proofs: Array.from({ length: 128 }, () => INFINITY),
};
