/** Common parts of the bridge's tests: a node with the real contracts, a stand-in for the sequencer, a database. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchData } from "@openledger/circuits/batch/batch-data";
import { type BatchShape, shapeName } from "@openledger/circuits/protocol";
import {
  type ClosedBatch,
  type deployFixture,
  SHAPES,
  startDeployed,
} from "@openledger/contracts/testing/rollup-fixture";
import { createL1Client } from "../l1/l1-client.ts";
import { RollupContract } from "../l1/rollup-contract.ts";
import type { BatchPublisherModules, BatchPublisherOptions } from "../operator/publishing/batch-publisher.ts";
import type { QueueWatcher, QueueWatcherOptions } from "../operator/watching/queue-watcher.ts";
import type { RandomnessWatcher, RandomnessWatcherOptions } from "../operator/watching/randomness-watcher.ts";
import { bridgeParts } from "./bridge-parts.ts";
import { FakeSequencer, OPERATOR_TOKEN } from "./fake-sequencer.ts";

/** Circuits of settlements go by their index here: "circuit-4". */
export const circuitIndexOf = (name: string, shapes: readonly BatchShape[] = SHAPES) => {
  const [, index] = /^circuit-(\d+)$/.exec(name) ?? [];
  if (index !== undefined) return Number(index);
  return shapes.findIndex((shape) => name === shapeName(shape));
};

export type BridgeFixture = Awaited<ReturnType<typeof startBridgeFixture>>;

export async function startBridgeFixture(
  overrides: Parameters<typeof deployFixture>[1] = {},
  settlementSizes: Parameters<typeof deployFixture>[3] = [],
  shapes: readonly BatchShape[] = SHAPES,
) {
  const chain = await startDeployed(overrides, shapes, settlementSizes);
  const l1 = chain.deployed;
  const sequencer = await new FakeSequencer().start();
  const dataDir = await mkdtemp(join(tmpdir(), "bridge-"));
  const rollup = new RollupContract({
    client: createL1Client({ rpcUrl: chain.url, pollIntervalMs: 10 }),
    address: l1.deployment.rollup,
  });
  const deployedAtBlock = Number(l1.deployment.blockNumber);
  const position = { rollup, deployedAtBlock, sequencerUrl: sequencer.url, operatorToken: OPERATOR_TOKEN };
  const parts = bridgeParts({ ...position, dataPath: dataDir });

  return {
    l1,
    rpcUrl: chain.url,
    sequencer,
    rollup,
    operator: parts.sequencer,
    metrics: parts.metrics,
    dataDir,
    store: parts.store,
    closeStore: parts.closeStore,

    async publisher(
      options: Partial<BatchPublisherOptions> = {},
      modules: Partial<BatchPublisherModules> = {},
    ): Promise<{ poll(): Promise<void> }> {
      const publisher = await parts.publisher(options, {
        circuitIndex: (name) => circuitIndexOf(name, shapes),
        ...modules,
      });
      return {
        poll: async () => {
          await publisher.poll();
          await this.mined();
        },
      };
    },

    /**
     * Returns once the node has mined what it holds: it answers before it does. Its pool gives a transaction up last; the account's
     * nonce is new before logs of the block are there.
     */
    async mined(): Promise<void> {
      while (await l1.client.getAutomine()) if ((await l1.client.getTxpoolStatus()).pending === 0) break;
    },

    watcher: (
      options: Partial<QueueWatcherOptions> = {},
      modules: Parameters<typeof parts.queueWatcher>[1] = {},
    ): Promise<QueueWatcher> =>
      parts.queueWatcher({ confirmations: 3, maxChunkBlocks: 7, ...options }, modules),

    randomnessWatcher: (options: Partial<RandomnessWatcherOptions> = {}): Promise<RandomnessWatcher> =>
      parts.randomnessWatcher({ confirmations: 2, finalityDepthBlocks: 2, maxChunkBlocks: 100, ...options }),

    /** Batches on top of L1's state, each on top of the one before, proven and handed to the stand-in. */
    async prove(count: number, content: Partial<BatchData> = {}): Promise<ClosedBatch[]> {
      const closed: ClosedBatch[] = [];
      let after: BatchData | undefined;
      for (let i = 0; i < count; i++) {
        const draft = await l1.draft({ ...content, ...(after === undefined ? {} : { after }) });
        closed.push(l1.close(draft));
        sequencer.add(closed.at(-1)!);
        after = draft;
      }
      return closed;
    },

    /** Numbers of the batches that L1 accepted, as its events say. */
    async acceptedNumbers(): Promise<number[]> {
      const logs = await l1.client.getContractEvents({
        address: l1.deployment.rollup,
        abi: l1.rollup.abi,
        eventName: "BatchAccepted",
        fromBlock: 0n,
        strict: true,
      });
      return logs.map((log) => Number(log.args.batchNumber));
    },

    async stop(): Promise<void> {
      await sequencer.stop();
      await parts.closeStore();
      await rm(dataDir, { recursive: true, force: true });
      await chain.stop();
    },
  };
}
