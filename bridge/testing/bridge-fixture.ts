/** What the bridge's tests share: a node with the real contracts, a stand-in for the sequencer, a database. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchData } from "@openledger/circuits/batch/batch-data";
import { type BatchShape, shapeName } from "@openledger/circuits/protocol";
import { startAnvil } from "@openledger/contracts/internal/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  type ClosedBatch,
  connect,
  deployFixture,
  SHAPES,
} from "@openledger/contracts/testing/rollup-fixture";
import { pino } from "pino";
import { Registry } from "prom-client";
import { createL1Client } from "../l1/l1-client.ts";
import { RollupContract } from "../l1/rollup-contract.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { BUNDLE_LIMITS } from "../operator/batch-bundle.ts";
import {
  BatchPublisher,
  type BatchPublisherModules,
  type BatchPublisherOptions,
} from "../operator/batch-publisher.ts";
import { type BridgeStore, openBridgeStore } from "../operator/bridge-store.ts";
import { createOperatorClient } from "../operator/operator-client.ts";
import { IntentStore } from "../operator/publish-intent.ts";
import { QueueWatcher, type QueueWatcherOptions } from "../operator/queue-watcher.ts";
import { RandomnessWatcher, type RandomnessWatcherOptions } from "../operator/randomness-watcher.ts";
import { blobsHere } from "./blobs-here.ts";
import { FakeSequencer, OPERATOR_TOKEN } from "./fake-sequencer.ts";

export const silentLogger = pino({ level: process.env.BRIDGE_TEST_LOG ?? "silent" });

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
  const anvil = await startAnvil();
  const l1 = await deployFixture(await connect(anvil), overrides, shapes, settlementSizes);
  const sequencer = await new FakeSequencer().start();
  const dataDir = await mkdtemp(join(tmpdir(), "bridge-"));
  const rollup = new RollupContract({
    client: createL1Client({ rpcUrl: anvil.url, pollIntervalMs: 10 }),
    address: l1.deployment.rollup,
  });
  const operator = createOperatorClient({ sequencerUrl: sequencer.url, operatorToken: OPERATOR_TOKEN });
  const metrics = createBridgeMetrics(new Registry());
  let store: BridgeStore | null = null;

  return {
    l1,
    rpcUrl: anvil.url,
    sequencer,
    rollup,
    operator,
    metrics,
    dataDir,

    /** The database, opened on first use; `closeStore` lets another process have it. */
    async store(): Promise<BridgeStore> {
      store ??= await openBridgeStore(dataDir);
      return store;
    },

    async closeStore(): Promise<void> {
      await store?.close();
      store = null;
    },

    async publisher(
      options: Partial<BatchPublisherOptions> = {},
      modules: Partial<BatchPublisherModules> = {},
    ): Promise<{ poll(): Promise<void> }> {
      const publisher = new BatchPublisher(
        {
          chainId: 31337,
          deployedAtBlock: Number(l1.deployment.blockNumber),
          confirmations: 3,
          finalityDepthBlocks: 3,
          resendAfterMs: 60_000,
          maxFeePerGasWei: 10n ** 12n,
          maxPriorityFeePerGasWei: 10n ** 10n,
          maxFeePerBlobGasWei: 10n ** 12n,
          limits: BUNDLE_LIMITS,
          maxChunkBlocks: 1_000,
          ...options,
        },
        {
          rollup,
          sequencer: operator,
          store: new IntentStore((await this.store()).publisher),
          account: anvilAccount(1),
          circuitIndex: (name) => circuitIndexOf(name, shapes),
          blobs: blobsHere,
          logger: silentLogger,
          metrics,
          ...modules,
        },
      );
      return {
        poll: async () => {
          await publisher.poll();
          await this.mined();
        },
      };
    },

    /** Returns once the node has mined what it mines by itself: it answers before it does. */
    async mined(): Promise<void> {
      const address = anvilAccount(1).address;
      while (await l1.client.getAutomine()) {
        const mined = await l1.client.getTransactionCount({ address });
        if (mined === (await l1.client.getTransactionCount({ address, blockTag: "pending" }))) break;
      }
    },

    async watcher(options: Partial<QueueWatcherOptions> = {}): Promise<QueueWatcher> {
      return new QueueWatcher(
        {
          deployedAtBlock: Number(l1.deployment.blockNumber),
          confirmations: 3,
          maxChunkBlocks: 7,
          ...options,
        },
        { rollup, sequencer: operator, store: (await this.store()).queue, logger: silentLogger, metrics },
      );
    },

    async randomnessWatcher(options: Partial<RandomnessWatcherOptions> = {}): Promise<RandomnessWatcher> {
      return new RandomnessWatcher(
        {
          deployedAtBlock: Number(l1.deployment.blockNumber),
          confirmations: 2,
          finalityDepthBlocks: 2,
          maxChunkBlocks: 100,
          ...options,
        },
        {
          rollup,
          sequencer: operator,
          store: (await this.store()).randomness,
          logger: silentLogger,
          metrics,
        },
      );
    },

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
      await store?.close();
      await rm(dataDir, { recursive: true, force: true });
      await anvil.stop();
    },
  };
}
