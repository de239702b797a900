/** The bridge's parts as tests run them: on one store, with one set of limits, looked after by the test. */

import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createLogger } from "@openledger/foundation/logger";
import { Registry } from "prom-client";
import type { RollupContract } from "../l1/rollup-contract.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { type BridgeStore, openBridgeStore } from "../operator/bridge-store.ts";
import { createOperatorClient } from "../operator/operator-client.ts";
import { BUNDLE_LIMITS } from "../operator/publishing/batch-bundle.ts";
import {
  BatchPublisher,
  type BatchPublisherModules,
  type BatchPublisherOptions,
} from "../operator/publishing/batch-publisher.ts";
import { IntentStore } from "../operator/publishing/publish-intent.ts";
import {
  PreVerifiedWatcher,
  type PreVerifiedWatcherOptions,
} from "../operator/watching/pre-verified-watcher.ts";
import {
  QueueWatcher,
  type QueueWatcherModules,
  type QueueWatcherOptions,
} from "../operator/watching/queue-watcher.ts";
import { RandomnessWatcher, type RandomnessWatcherOptions } from "../operator/watching/randomness-watcher.ts";
import { blobsHere } from "./blobs-here.ts";

export const silentLogger = createLogger("test", process.env.BRIDGE_TEST_LOG ?? "silent");

interface BridgeEndpoint {
  readonly rollup: RollupContract;
  readonly deployedAtBlock: number;
  readonly sequencerUrl: string;
  readonly operatorToken: string;
  /** Folder of the store, which is opened at the first use. */
  readonly dataPath: string;
}

export function bridgeParts({
  dataPath,
  deployedAtBlock,
  operatorToken,
  rollup,
  sequencerUrl,
}: BridgeEndpoint) {
  const sequencer = createOperatorClient({ sequencerUrl, operatorToken });
  const metrics = createBridgeMetrics(new Registry());
  const shared = { rollup, sequencer, logger: silentLogger, metrics };
  const chunks = { deployedAtBlock, maxChunkBlocks: 1_000 };
  let opened: BridgeStore | null = null;
  const store = async () => {
    opened ??= await openBridgeStore(dataPath, { chainId: 31337, rollupAddress: rollup.address });
    return opened;
  };
  return {
    ...shared,
    /** The database; `closeStore` releases it for another process. */
    store,
    async closeStore(): Promise<void> {
      await opened?.close();
      opened = null;
    },
    async publisher(
      options: Partial<BatchPublisherOptions>,
      modules: Partial<BatchPublisherModules> & Pick<BatchPublisherModules, "circuitIndex">,
    ): Promise<BatchPublisher> {
      return new BatchPublisher(
        {
          ...chunks,
          chainId: 31337,
          confirmations: 3,
          finalityDepthBlocks: 3,
          resendAfterMs: 60_000,
          maxFeePerGasWei: 10n ** 12n,
          maxPriorityFeePerGasWei: 10n ** 10n,
          maxFeePerBlobGasWei: 10n ** 12n,
          limits: BUNDLE_LIMITS,
          ...options,
        },
        {
          ...shared,
          store: new IntentStore((await store()).publisher),
          account: anvilAccount(1),
          blobs: blobsHere,
          ...modules,
        },
      );
    },
    async queueWatcher(
      options: Partial<QueueWatcherOptions> = {},
      modules: Partial<QueueWatcherModules> = {},
    ): Promise<QueueWatcher> {
      const all = { ...shared, store: (await store()).queue, ...modules };
      return new QueueWatcher(
        { ...chunks, confirmations: 1, finalityDepthBlocks: 1, stalledAlarmMs: null, ...options },
        all,
      );
    },
    async preVerifiedWatcher(
      options: Pick<PreVerifiedWatcherOptions, "finalityDepthBlocks">,
    ): Promise<PreVerifiedWatcher> {
      const all = { ...shared, store: (await store()).preVerified };
      return new PreVerifiedWatcher({ ...chunks, confirmations: 1, ...options }, all);
    },
    async randomnessWatcher(
      options: Partial<RandomnessWatcherOptions> &
        Pick<RandomnessWatcherOptions, "confirmations" | "finalityDepthBlocks">,
    ): Promise<RandomnessWatcher> {
      return new RandomnessWatcher(
        { ...chunks, ...options },
        { ...shared, store: (await store()).randomness },
      );
    },
  };
}
