/** The dear work on blobs, on a thread of its own (blob-thread.ts). */
import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";

export const blob = (elements: readonly bigint[]) => blobWithProof(elements);

export const cells = (bytes: `0x${string}`) => cellProofsOf(bytes);
