/** Tasks of the bridge's blob thread (blob-thread.ts): they compute a blob with its KZG proof, and the proofs of its cells. */
import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";

export const blob = (elements: readonly bigint[]) => blobWithProof(elements);

export const cells = (bytes: `0x${string}`) => cellProofsOf(bytes);
