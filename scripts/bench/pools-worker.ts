import { workerData } from "piscina";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import {
  type ReceiptIdentity,
  receiptSignerOf,
  runTasks,
  type TaskBatch,
} from "../../sequencer/intake/signature-tasks.ts";

const signer = receiptSignerOf(workerData as ReceiptIdentity);
await initPoseidon();

export default (batch: TaskBatch) => runTasks(batch, signer);
