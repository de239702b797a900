import { setTimeout as sleep } from "node:timers/promises";
import { createTestClient, http } from "viem";
import { foundry } from "viem/chains";
import type { PublishedModel } from "../../../attribution/model-files.ts";
import { RANDOMNESS_DELAY_BLOCKS } from "../../../bridge/settlement-times.ts";
import { modelShape } from "../../../circuits/settlement-size.ts";
import { getModel, getSettlement } from "../../../client/model-reads.ts";
import { formatOpen } from "../../../client/open-amount.ts";
import { seal } from "../../../client/seal.ts";
import {
  encodeSettlementBody,
  type SettlementBody,
  sendSettlement,
} from "../../../client/send-settlement.ts";
import { fetchOpenings } from "../../settlement/model-openings.ts";
import { prepareSampled, readSealedEpoch } from "../../settlement/prepare-settlement.ts";
import { proveSettlement } from "../../settlement/prove-settlement.ts";
import { openProvingCircuit, settlementCircuitFor } from "../../settlement/rollup-circuits.ts";
import { FINALITY_BLOCKS } from "../config.ts";
import { formatDuration } from "../console.ts";
import { type Job, onceOnLedger, waitWithConsole, withRetry } from "../job.ts";

/** The epoch that the job settles: the model's first. */
export const SETTLED_EPOCH = 1;

/** The model closes its epoch; once L1 has it, 128 blocks are mined, and the bridge records their randomness. */
export async function sealFirstEpoch(job: Job, modelId: number): Promise<void> {
  const { mia } = job.people;
  const sent = await onceOnLedger(job, "seal", mia, ({ onSigned }) => seal(mia, { modelId, onSigned }));
  if ((await withRetry(job, () => getSettlement(mia, modelId, SETTLED_EPOCH))) !== null) return;
  await withRetry(job, job.seal);
  const { batchNumber } = await waitWithConsole(job, mia, { hash: sent.hash }, "posted", "the seal");
  job.console.done(
    `model ${modelId} seals epoch ${SETTLED_EPOCH} in batch ${batchNumber}: operation ${sent.hash}`,
  );
  const target = job.journal.get<number>("randomness-block") ?? (await randomnessBlock(job));
  const number = Number(await mia.l1.getBlockNumber());
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(job.rpcUrl) });
  if (number < target) await node.mine({ blocks: target - number });
  for (;;) {
    const { sealedEpoch } = await withRetry(job, () => getModel(mia, modelId));
    if (sealedEpoch === null || sealedEpoch.prevRandao !== null) break;
    job.console.progress(`waiting for the randomness of L1 block ${sealedEpoch.randomnessBlock ?? "?"}`);
    await sleep(300, undefined, { signal: job.signal });
  }
  job.console.done(
    `${RANDOMNESS_DELAY_BLOCKS} L1 blocks later, the bridge has recorded the epoch's randomness`,
  );
}

/** A block at which the randomness is there, and deep enough for the bridge. */
async function randomnessBlock(job: Job): Promise<number> {
  const now = Number(await job.people.mia.l1.getBlockNumber());
  const target = now + RANDOMNESS_DELAY_BLOCKS + FINALITY_BLOCKS + 2;
  await job.journal.set("randomness-block", target);
  return target;
}

/** Draws, scores and totals of the epoch, proven and given to the sequencer. */
export async function settleFirstEpoch(
  job: Job,
  modelId: number,
  given: { model: PublishedModel; serverUrl: string; beforeSending: () => Promise<void> },
): Promise<void> {
  const { mia } = job.people;
  const { model, serverUrl } = given;
  let body = job.journal.get<SettlementBody>("settlement");
  if (body === undefined) {
    const facts = await withRetry(job, () => readSealedEpoch(mia, modelId, SETTLED_EPOCH));
    const openings = await withRetry(job, () => fetchOpenings(serverUrl, SETTLED_EPOCH));
    const circuit = settlementCircuitFor(job.circuits, modelShape(model.statics, model.slots.length));
    const prepared = prepareSampled(facts, { model, openings, circuit });
    const proving = await openProvingCircuit(circuit, job.deployment, job.console.progress);
    const proved = await proveSettlement(
      prepared,
      { circuitId: circuit.circuitId, proving },
      {
        backend: job.proverBackend,
        signal: job.signal,
        expectedMs: 30_000,
        onProgress: ({ stage, percent, elapsedMs }) =>
          job.console.progress(
            `proving the settlement: ${stage}, ${Math.floor(percent)} % after ${Math.round(elapsedMs / 1000)} s`,
          ),
      },
    );
    body = encodeSettlementBody(proved.settlement);
    await job.journal.set("settlement", body);
    const drawn = prepared.draws.map(({ paymentIndex }) => paymentIndex).join(", ");
    job.console.done(
      `epoch ${SETTLED_EPOCH}: ${formatOpen(facts.sealed.amountWei)} OPEN of ${facts.payments.length} payments, drawn are payments ${drawn}`,
    );
    job.console.done(
      `settlement proven (${circuit.name}): witness ${formatDuration(proved.witnessMs)}, proof ${formatDuration(proved.proveMs)}`,
    );
  }
  await given.beforeSending();
  await withRetry(job, () => sendSettlement(mia, body));
}
