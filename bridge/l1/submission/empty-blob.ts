/**
 * Blob of zeros, for the filler transactions of the publisher (transaction-sender.ts). Ethereum's nodes hold blob transactions and
 * others in two pools, and an account with a transaction in one pool gets none into the other. So only another blob transaction can
 * replace a blob transaction that waits, and use up its nonce.
 */
import type { BlobSidecar } from "@openledger/contracts/l1/blob-transaction";
import { EMPTY_BLOB_HASH } from "../../blobs/blob-source.ts";

/** The point at infinity: commitment of the polynomial 0, and each of its proofs. */
const INFINITY = `0xc0${"00".repeat(47)}` as const;

/** Blob of zeros with constant commitment and proofs. */
export const EMPTY_BLOB: BlobSidecar = {
  versionedHash: EMPTY_BLOB_HASH,
  blob: `0x${"00".repeat(131_072)}`,
  commitment: INFINITY,
  proofs: Array.from({ length: 128 }, () => INFINITY),
};
