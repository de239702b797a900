/**
 * Worker thread of signature-pool.ts, which checks and makes signatures: answers batches of tasks in the order in which they
 * come.
 */
import { parentPort, workerData } from "node:worker_threads";
import { initPoseidon, useNativeField } from "@openledger/circuits/field/poseidon";
import { loadNativeField } from "@openledger/circuits/native/native-field";
import {
  type PackedTasks,
  type PreconfirmationIdentity,
  preconfirmationSignerOf,
  runPacked,
} from "./signature-tasks.ts";

const signer = preconfirmationSignerOf(workerData as PreconfirmationIdentity);
await initPoseidon();
useNativeField(loadNativeField());
// Earlier messages wait for this listener. An error ends the thread, and the pool gets it.
parentPort!.on("message", (batch: PackedTasks) => {
  const answers = runPacked(batch, signer);
  parentPort!.postMessage(answers, [answers.bytes.buffer]);
});
