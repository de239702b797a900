/** The thread that makes blobs: one task in, one answer out, in turn. */
import { parentPort } from "node:worker_threads";
import { type BlobWithProofs, blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";

export type BlobTask = { readonly elements: readonly bigint[] } | { readonly blob: `0x${string}` };
export type BlobAnswer = BlobWithProofs | readonly `0x${string}`[];

const answerTo = (task: BlobTask): Promise<BlobAnswer> =>
  "blob" in task ? cellProofsOf(task.blob) : blobWithProof(task.elements);

// An error ends the thread, and anyone who waits hears of it.
parentPort!.on("message", async (task: BlobTask) => parentPort!.postMessage(await answerTo(task)));
