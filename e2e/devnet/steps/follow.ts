/** Check of the devnet's job that a full node reaches L1's state from L1 and the blob archive alone. */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { BlobProvidersOptions } from "@openledger/bridge/blobs/blob-providers";
import { createLogger } from "@openledger/foundation/logger";
import { createFollowProcess } from "@openledger/sequencer/full-node/follow-process";
import { devnetPaths } from "../config.ts";
import type { Job } from "../job.ts";
import type { Check } from "./check.ts";

const STATEMENT = "a full node reaches L1's root from L1 and the sequencer's blobs alone";
const POLL_MS = 500;
const TIMEOUT_MS = 120_000;

/** Places to read the devnet's blobs from: the sequencer's archive, which is open to anybody. */
export const archiveOf = ({ people }: Pick<Job, "people">): BlobProvidersOptions => ({
  archives: people.alice.sequencerUrl === null ? [] : [people.alice.sequencerUrl],
  beaconUrls: [],
});

/**
 * Follows L1 from the genesis on, as `openledger follow` does without a sequencer's feed, and compares roots.
 * @param root that L1 has
 */
export async function checkFullNode(job: Job, root: bigint): Promise<Check> {
  const { people, rpcUrl, signal } = job;
  await rm(devnetPaths.fullNode, { recursive: true, force: true });
  let fatal: unknown = null;
  const fullNode = await createFollowProcess(
    {
      rpcUrl,
      rollupAddress: people.alice.rollupAddress,
      feedUrl: null,
      blobs: archiveOf(job),
      dataPath: devnetPaths.fullNode,
      finalityDepthBlocks: 1,
      host: "127.0.0.1",
      port: 0,
      rateLimitPerMinute: 6_000,
      pollIntervalMs: POLL_MS,
      stallMs: 600_000,
    },
    {
      logger: createLogger("follow", "silent"),
      onFatal: (error) => {
        fatal = error;
      },
    },
  );
  try {
    const untilMs = Date.now() + TIMEOUT_MS;
    const { followed } = fullNode;
    for (;;) {
      await fullNode.poll();
      if (followed.head.ledger.root === root || fatal !== null || Date.now() > untilMs) break;
      job.console.progress(`a full node reads L1: batch ${followed.registry.closedNumber}`);
      await sleep(POLL_MS, undefined, { signal });
    }
    const alarms = fullNode.alarms.all.length === 0 ? "" : `, alarms: ${JSON.stringify(fullNode.alarms.all)}`;
    return {
      statement: STATEMENT,
      holds: followed.head.ledger.root === root && fullNode.alarms.all.length === 0,
      detail: `${followed.registry.finalNumber} batches${alarms}`,
    };
  } finally {
    await fullNode.stop();
  }
}
