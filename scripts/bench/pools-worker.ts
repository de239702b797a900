import { workerData } from "piscina";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import {
  type PreconfirmationIdentity,
  preconfirmationSignerOf,
  runTasks,
  type TaskBatch,
} from "../../sequencer/intake/signature-tasks.ts";

const signer = preconfirmationSignerOf(workerData as PreconfirmationIdentity);
await initPoseidon();

export default (batch: TaskBatch) => runTasks(batch, signer);
