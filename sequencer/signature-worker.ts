/** A signature thread: answers batches of tasks in the order in which they come. */
import { parentPort, workerData } from "node:worker_threads";
import { initPoseidon } from "../circuits/poseidon.ts";
import { type ReceiptIdentity, receiptSignerOf, runTasks, type TaskBatch } from "./signature-tasks.ts";

const signer = receiptSignerOf(workerData as ReceiptIdentity);
let last: Promise<void> = initPoseidon();

parentPort!.on("message", (batch: TaskBatch) => {
  last = last.then(async () => parentPort!.postMessage(await runTasks(batch, signer)));
  last.catch((error: unknown) => {
    // Ends the thread; the pool reports it.
    throw error;
  });
});
