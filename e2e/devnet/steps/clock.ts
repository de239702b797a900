/**
 * Moves the clock of the devnet's Ethereum node forward, and waits until the sequencer follows: for the day before an approval, and for
 * finality. Steps of the devnet's job call it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { passTime } from "@openledger/client/actions/l1/pass-time";
import { getLeaf, getStatus } from "@openledger/client/sequencer/ledger-reads";
import { createTestClient, http } from "viem";
import { foundry } from "viem/chains";
import { APPROVAL_MARGIN_SECONDS, FINALITY_BLOCKS, NEWS_INTERVAL_MS } from "../config.ts";
import { type Job, withRetry } from "../job.ts";

/** Journal key: seconds by which the node's clock is ahead of this machine's. */
export const CLOCK_OFFSET = "clock-offset-seconds";

/** Lets the 24 hours pass that contributors have to look at a version before a model of it can be approved. */
export async function passADay(job: Job, datanetId: number): Promise<void> {
  const { datanet } = await withRetry(job, () => getLeaf(job.people.alice, datanetId));
  const target = datanet!.publishedAt + APPROVAL_DELAY_SECONDS + APPROVAL_MARGIN_SECONDS;
  await passUntil(job, target, "24 hours pass on L1: time to look at the version, and at what it leaves out");
}

/** Mines the blocks after which the bridge counts L1's present head as final. */
export async function mineUntilFinal(job: Job): Promise<void> {
  await createTestClient({ chain: foundry, mode: "anvil", transport: http(job.rpcUrl) }).mine({
    blocks: FINALITY_BLOCKS,
  });
}

/** @param target seconds since 1970 @param why line that the console prints if the clock is moved */
async function passUntil(job: Job, target: number, why: string): Promise<void> {
  const { alice } = job.people;
  const { timestamp } = await alice.l1.getBlock();
  if (Number(timestamp) < target) {
    // Stored first: after a kill the node starts with this offset.
    await job.journal.set(CLOCK_OFFSET, target - Math.floor(Date.now() / 1000));
    await passTime({ rpcUrl: job.rpcUrl, seconds: target - Number(timestamp), sequencer: null });
    job.console.done(why);
  }
  for (;;) {
    const { l1 } = await withRetry(job, () => getStatus(alice));
    if (l1.timestamp >= target) return;
    job.console.progress("waiting until the sequencer sees the new day on L1");
    await sleep(NEWS_INTERVAL_MS, undefined, { signal: job.signal });
  }
}
