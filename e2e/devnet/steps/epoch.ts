/** Steps of the devnet's job that close the models' first epochs and settle them. */
import { setTimeout as sleep } from "node:timers/promises";
import { RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { getModel, getSettlement } from "@openledger/client/sequencer/model-reads";
import { closeModelEpoch } from "@openledger/client/tasks/close-epoch";
import { createTestClient, http } from "viem";
import { foundry } from "viem/chains";
import { z } from "zod";
import { FINALITY_BLOCKS, NEWS_INTERVAL_MS } from "../config.ts";
import { type Job, onceOnLedger, untilFound, waitWithConsole, withRetry } from "../job.ts";
import { type ModelName, stepOf } from "../parts.ts";
import { closeIntoBlob } from "./data-source.ts";

/** The epoch that the job settles: the model's first. */
export const SETTLED_EPOCH = 1;

/**
 * A model closes its epoch. @returns what waits until L1 has that, 128 blocks are mined, and the bridge has recorded the
 * epoch's randomness; null where it was settled before
 */
export async function closeFirstEpoch(
  job: Job,
  { modelId, name }: { readonly name: ModelName; readonly modelId: number },
): Promise<(() => Promise<void>) | null> {
  const { mia } = job.people;
  const { hash } = await onceOnLedger(job, stepOf(name, "closeEpoch"), mia, async ({ onSigned }) => {
    const { sent } = await closeModelEpoch(mia, { modelId, onSigned });
    return sent;
  });
  if ((await withRetry(job, () => getSettlement(mia, modelId, SETTLED_EPOCH))) !== null) return null;
  await closeIntoBlob(job);
  return () => untilRandom(job, stepOf(name, "randomness-block"), modelId, hash);
}

async function untilRandom(job: Job, key: string, modelId: number, hash: `0x${string}`): Promise<void> {
  const { mia } = job.people;
  const { batchNumber } = await waitWithConsole(job, mia, { hash }, "posted", "the close");
  const target = job.journal.get<number>(key) ?? (await randomnessBlock(job, key));
  const number = Number(await mia.l1.getBlockNumber());
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(job.rpcUrl) });
  if (number < target) await node.mine({ blocks: target - number });
  for (;;) {
    const { closedEpoch } = await withRetry(job, () => getModel(mia, modelId));
    if (closedEpoch === null || closedEpoch.prevRandao !== null) break;
    job.console.progress(`waiting for the randomness of L1 block ${closedEpoch.randomnessBlock ?? "?"}`);
    // What the bridge has written on L1 meanwhile becomes final sooner.
    await node.mine({ blocks: 2 });
    await sleep(NEWS_INTERVAL_MS, undefined, { signal: job.signal });
  }
  job.console.done(
    `model ${modelId} closes epoch ${SETTLED_EPOCH} in batch ${batchNumber}; ${RANDOMNESS_DELAY_BLOCKS} L1 blocks later, the bridge has recorded its randomness`,
  );
}

/** A block at which the randomness is there, and deep enough for the bridge. */
async function randomnessBlock(job: Job, key: string): Promise<number> {
  const now = Number(await job.people.mia.l1.getBlockNumber());
  const target = now + RANDOMNESS_DELAY_BLOCKS + FINALITY_BLOCKS + 2;
  await job.journal.set(key, target);
  return target;
}

const viewSchema = z.object({
  stage: z.string(),
  provedPercent: z.number().nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});

/**
 * Waits while the model's server prepares, proves and hands in the epoch's settlement by itself. @returns the number of the
 * settlement's batch
 */
export async function settleFirstEpoch(job: Job, modelId: number, serverUrl: string): Promise<number> {
  const { mia } = job.people;
  const startedAtMs = Date.now();
  return untilFound(job, "the settlement", async () => {
    const settlement = await getSettlement(mia, modelId, SETTLED_EPOCH);
    if (settlement !== null) {
      job.console.done(
        `the server of model ${modelId} has settled epoch ${SETTLED_EPOCH} by itself (${settlement.circuit}): batch ${settlement.batchNumber}`,
        Date.now() - startedAtMs,
      );
      return settlement.batchNumber;
    }
    const view = await readView(serverUrl);
    const percent = view?.provedPercent == null ? "" : `, ${view.provedPercent} %`;
    const failure = view?.failure == null ? "" : `: ${view.failure.message} [${view.failure.code}]`;
    job.console.progress(
      `the server of model ${modelId} settles: ${view?.stage ?? "it is away"}${percent}${failure}`,
    );
    return null;
  });
}

/** Resolves once L1 has the settlement of the model's epoch. */
export async function untilSettledOnL1(job: Job, modelId: number): Promise<void> {
  await untilFound(job, "the settlement on L1", async () => {
    const [settlement, { batches }] = await Promise.all([
      getSettlement(job.people.mia, modelId, SETTLED_EPOCH),
      getStatus(job.people.mia),
    ]);
    return settlement !== null && batches.posted >= settlement.batchNumber ? true : null;
  });
}

/** null while the server is away: the supervisor starts it again. */
async function readView(serverUrl: string): Promise<z.output<typeof viewSchema> | null> {
  try {
    const response = await fetch(`${serverUrl}/v1/settling`, { signal: AbortSignal.timeout(5_000) });
    return viewSchema.parse(await response.json());
  } catch {
    return null;
  }
}
