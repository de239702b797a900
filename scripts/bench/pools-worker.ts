import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  type PreconfirmationIdentity,
  preconfirmationSignerOf,
  runTasks,
  type TaskBatch,
} from "@openledger/sequencer/internal/intake/signature-tasks";
import { workerData } from "piscina";

const signer = preconfirmationSignerOf(workerData as PreconfirmationIdentity);
await initPoseidon();

export default (batch: TaskBatch) => runTasks(batch, signer);
