/**
 * Proof of a model's activation, in a process of its own (task-process.ts): the factory proves, the model's owner signs and
 * sends.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { encodeSettlementBody, type SettlementBody } from "@openledger/client/actions/l1/send-settlement";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { chooseBackend } from "@openledger/prover/choose-backend";
import {
  openProvingCircuits,
  payeeTableFor,
  readRollupCircuits,
  settlementCircuitFor,
} from "@openledger/verifier/circuits/rollup-circuits";
import type { Address } from "viem";
import { prepareActivation } from "../../settling/prepare-settlement.ts";
import { proveSettlement } from "../../settling/prove-settlement.ts";
import type { ActivationTask, Say } from "./task-messages.ts";

/** Limit of one request to the sequencer. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Proves a model's activation. What comes out still lacks the model's signature, whose key its owner has. */
export async function proveActivation(task: ActivationTask, say: Say): Promise<SettlementBody> {
  const { deploymentPath, payees, modelId, prover, rpcUrl, sequencerUrl } = task;
  await initPoseidon();
  const deployment = loadDeployment(deploymentPath);
  const rollupAddress = deployment.rollupAddress as Address;
  const circuits = await readRollupCircuits({ rpcUrl, rollupAddress, deployment });
  const leaf = await getModel({ sequencerUrl, requestTimeoutMs: REQUEST_TIMEOUT_MS }, modelId);
  const settling = settlementCircuitFor(circuits, modelShape(staticsOf(leaf), payees)).circuit;
  const table = payeeTableFor(circuits, payees);
  const { prepared, circuits: tables } = prepareActivation(leaf, { payees }, { table, settling });
  const proving = await openProvingCircuits(tables, deployment, () => () => {});
  // A graphics card proves batches; an activation has no use for one.
  const { backend } = await chooseBackend(prover, { withCard: false });
  const { settlement } = await proveSettlement(prepared, proving, {
    backend,
    onProgress: ({ percent }) =>
      void say({ kind: "stage", stage: "commit", done: Math.round(percent), total: 100 }),
  });
  return encodeSettlementBody(settlement);
}
