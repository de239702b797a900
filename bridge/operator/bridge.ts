/** The bridge as one object: its loops over one database, from start to stop. main.ts starts it. */
import { setTimeout as delay } from "node:timers/promises";
import { blobElementCount } from "@openledger/circuits/blob/blob-elements";
import { isBlobShape } from "@openledger/circuits/protocol";
import { batchShapesOf } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import type { Logger } from "@openledger/foundation/logger";
import type { Registry } from "prom-client";
import { BlockNotFoundError, isAddressEqual, parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { BlobThread } from "../blobs/blob-thread.ts";
import { MIN_NATIVE_ELEMENTS } from "../blobs/native-kzg.ts";
import { bridgeError } from "../bridge-errors.ts";
import type { BridgeConfig } from "../config.ts";
import { defaultConfirmations, stalledAlarmMsOf } from "../l1/confirmations.ts";
import { DataPricesNotice } from "../l1/data-prices.ts";
import { createL1Client, l1Call } from "../l1/l1-client.ts";
import { RollupContract } from "../l1/rollup-contract.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { followBatches } from "./batch-feed.ts";
import { openBridgeStore } from "./bridge-store.ts";
import { createOperatorClient } from "./operator-client.ts";
import { Bell, watchEvents } from "./operator-events.ts";
import { runPollLoop } from "./poll-loop.ts";
import { BUNDLE_LIMITS } from "./publishing/batch-bundle.ts";
import { BatchPublisher } from "./publishing/batch-publisher.ts";
import { IntentStore } from "./publishing/publish-intent.ts";
import { FrozenNotice } from "./watching/frozen-notice.ts";
import { PreVerifiedWatcher } from "./watching/pre-verified-watcher.ts";
import { QueueAge } from "./watching/queue-age.ts";
import { QueueWatcher } from "./watching/queue-watcher.ts";
import { RandomnessWatcher } from "./watching/randomness-watcher.ts";

/** Longest that a stop waits for steps that are under way. */
const STOP_PATIENCE_MS = 3_000;

interface BridgeHandle {
  /** False while a loop fails for a reason that a human has to look at, and while the rollup is frozen. */
  readonly isHealthy: boolean;
  /** Resolves with the error once the database failed: nothing is of use then but a new start. */
  readonly failed: Promise<Error>;
  /** Ends the loops after the step they are in, if that is soon, and closes the database. */
  stop(): Promise<void>;
}

/** @throws BRG_WRONG_DEPLOYMENT, BRG_L1_UNREACHABLE, SRV_STORE_FAILED */
export async function startBridge(
  config: BridgeConfig,
  modules: { deployment: Deployment; logger: Logger; registry: Registry },
): Promise<BridgeHandle> {
  const { deployment, logger } = modules;
  const account = privateKeyToAccount(config.operatorPrivateKey.reveal());
  const confirmations = config.l1Confirmations ?? defaultConfirmations(deployment.chainId);
  const rollup = new RollupContract({
    client: createL1Client({
      rpcUrl: config.l1RpcUrl ?? deployment.rpcUrl,
      timeoutMs: config.requestTimeoutMs,
    }),
    address: deployment.rollupAddress,
  });
  await checkDeployment(rollup, deployment, account.address);
  if (deployment.circuits.some((circuit) => circuit.isDevelopment)) {
    logger.warn({ rollup: rollup.address }, "development keys: anyone can forge proofs for this rollup");
  }
  const metrics = createBridgeMetrics(modules.registry);
  let fail!: (error: Error) => void;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const store = await openBridgeStore(config.dataPath, deployment, fail);
  const sequencer = createOperatorClient({
    sequencerUrl: config.sequencerUrl,
    operatorToken: config.operatorToken.reveal(),
    timeoutMs: config.requestTimeoutMs,
  });
  const frozen = new FrozenNotice({ rollup, logger: logger.child({ component: "frozen-notice" }), metrics });
  const shapes = batchShapesOf(deployment.circuits);
  const dataPrices = new DataPricesNotice(shapes, {
    client: rollup.client,
    logger: logger.child({ component: "data-prices" }),
    metrics,
  });
  const watcher = new QueueWatcher(
    {
      deployedAtBlock: deployment.deployedAtBlock,
      confirmations,
      finalityDepthBlocks: config.l1FinalityDepthBlocks,
      stalledAlarmMs: stalledAlarmMsOf(deployment.chainId),
      maxChunkBlocks: config.l1LogChunkBlocks,
    },
    {
      rollup,
      sequencer,
      store: store.queue,
      logger: logger.child({ component: "queue-watcher" }),
      metrics,
      frozen,
      dataPrices,
    },
  );
  const queueAge = new QueueAge({ rollup, metrics });
  const randomness = new RandomnessWatcher(
    {
      deployedAtBlock: deployment.deployedAtBlock,
      confirmations,
      finalityDepthBlocks: config.l1FinalityDepthBlocks,
      maxChunkBlocks: config.l1LogChunkBlocks,
    },
    {
      rollup,
      sequencer,
      store: store.randomness,
      logger: logger.child({ component: "randomness-watcher" }),
      metrics,
    },
  );
  const preVerified = new PreVerifiedWatcher(
    {
      deployedAtBlock: deployment.deployedAtBlock,
      confirmations,
      finalityDepthBlocks: config.l1FinalityDepthBlocks,
      maxChunkBlocks: config.l1LogChunkBlocks,
    },
    {
      rollup,
      sequencer,
      store: store.preVerified,
      logger: logger.child({ component: "pre-verified-watcher" }),
    },
  );
  const blobThread = new BlobThread();
  const elementCounts = shapes.filter(isBlobShape).map(blobElementCount);
  // A thread that fails here tells so with its first blob.
  if (elementCounts.some((count) => count >= MIN_NATIVE_ELEMENTS)) blobThread.prepare().catch(() => {});
  const newBlock = new Bell();
  const ready = new Bell();
  const publisher = new BatchPublisher(
    {
      chainId: deployment.chainId,
      deployedAtBlock: deployment.deployedAtBlock,
      confirmations,
      finalityDepthBlocks: config.l1FinalityDepthBlocks,
      resendAfterMs: config.l1ResendAfterMs,
      maxFeePerGasWei: parseGwei(config.l1MaxFeeGwei.toString()),
      maxPriorityFeePerGasWei: parseGwei(config.l1MaxPriorityFeeGwei.toString()),
      maxFeePerBlobGasWei: parseGwei(config.l1MaxBlobFeeGwei.toString()),
      limits: BUNDLE_LIMITS,
      maxChunkBlocks: config.l1LogChunkBlocks,
    },
    {
      rollup,
      sequencer,
      store: new IntentStore(store.publisher),
      account,
      circuitIndex: circuitIndexIn(deployment),
      blobs: blobThread,
      nextErrand: () => randomness.nextErrand(),
      logger: logger.child({ component: "batch-publisher" }),
      metrics,
      onStep: (step) => {
        // A node that mines at once has it already: the next look need not wait for news of the block.
        if (step === "after-send") ready.ring();
      },
    },
  );

  const stopping = new AbortController();
  const failing = new Set<string>();
  const loop = async (name: string, step: () => Promise<void>, bells: readonly Bell[] = []) => {
    const options = {
      name,
      intervalMs: config.pollIntervalMs,
      maxBackoffMs: config.maxBackoffMs,
      signal: stopping.signal,
      bells,
    };
    const onHealth = (isHealthy: boolean) => {
      if (isHealthy) failing.delete(name);
      else failing.add(name);
    };
    await runPollLoop(options, { step, logger, metrics, onHealth });
  };
  // L1 refuses batches and randomness of a frozen ledger. Whatever it has taken is final by then: the queue did not move.
  const unlessFrozen = (step: () => Promise<void>) => async () => {
    if (!(await frozen.look())) await step();
  };
  // A loop that fails leaves the others running: deposits do not depend on publishing, nor the reverse.
  const loops = [
    // Apart from the head: a node may be slow to name prices.
    loop("data-prices", () => dataPrices.note()),
    loop("queue-watcher", async () => {
      await watcher.poll();
      await queueAge.note();
    }, [newBlock]),
    loop(
      "batch-publisher",
      unlessFrozen(() => publisher.poll()),
      [newBlock, ready],
    ),
    loop(
      "randomness-watcher",
      unlessFrozen(() => randomness.poll()),
      [newBlock],
    ),
    loop(
      "pre-verified-watcher",
      unlessFrozen(() => preVerified.poll()),
    ),
  ];
  const { sequencerUrl } = config;
  loops.push(followBatches({ sequencerUrl, signal: stopping.signal, onProven: () => ready.ring() }));
  if (config.newsIntervalMs !== undefined)
    loops.push(
      watchEvents(
        { intervalMs: config.newsIntervalMs, signal: stopping.signal },
        {
          bell: newBlock,
          blockNumber: () => rollup.client.getBlockNumber({ cacheTime: 0 }),
        },
      ),
    );
  logger.info({ rollup: rollup.address, publisher: account.address }, "bridge runs");
  return {
    failed,
    get isHealthy() {
      return failing.size === 0 && !frozen.isFrozen;
    },
    async stop() {
      stopping.abort();
      // Whatever was sent is on the disk: a start goes on from there, as after a kill.
      await Promise.race([Promise.all(loops), delay(STOP_PATIENCE_MS, undefined, { ref: false })]);
      await blobThread.end();
      await store.close();
    },
  };
}

function circuitIndexIn(deployment: Deployment): (name: string) => number {
  const indices = new Map(deployment.circuits.map((circuit, index) => [circuit.name, index]));
  return (name) => {
    const index = indices.get(name);
    if (index === undefined) {
      throw bridgeError("BRG_WRONG_DEPLOYMENT", `the deployment has no circuit ${name}`, {
        data: { name, known: [...indices.keys()] },
      });
    }
    return index;
  };
}

/** Requires that this is the record's contract, and that this account may publish to it. */
async function checkDeployment(
  rollup: RollupContract,
  deployment: Deployment,
  publisher: `0x${string}`,
): Promise<void> {
  const differs = (what: string, expected: unknown, actual: unknown) => {
    throw bridgeError(
      "BRG_WRONG_DEPLOYMENT",
      `${what} is ${String(actual)} on L1, the deployment record says ${String(expected)}`,
      {
        data: { what, expected: String(expected), actual: String(actual) },
      },
    );
  };
  const chainId = await l1Call("read the chain id", () => rollup.client.getChainId());
  if (chainId !== deployment.chainId) differs("the chain id", deployment.chainId, chainId);
  const [circuits, domain, sequencer] = await Promise.all([
    rollup.circuits(),
    rollup.domain(),
    rollup.sequencer(),
  ]);
  const { deployedAtBlock, deployedIn } = deployment;
  if (deployedIn !== undefined) {
    const hash = await l1Call("read the block of the deployment", () =>
      rollup.client.getBlock({ blockNumber: BigInt(deployedAtBlock) }).then(
        (block) => block.hash,
        (error: unknown) => {
          if (error instanceof BlockNotFoundError) return null;
          throw error;
        },
      ),
    );
    if (hash !== deployedIn.blockHash)
      differs(`the hash of block ${deployedAtBlock}, of the deployment,`, deployedIn.blockHash, hash);
  }
  if (domain !== deployment.domain) differs("the domain", deployment.domain, domain);
  if (!isAddressEqual(sequencer, publisher))
    throw bridgeError(
      "BRG_WRONG_DEPLOYMENT",
      `the bridge's key is of ${publisher}, and ${sequencer} alone posts batches to this rollup: BRIDGE_OPERATOR_PRIVATE_KEY_FILE names its key`,
      { data: { what: "the sequencer's key", expected: sequencer, actual: publisher } },
    );
  if (circuits.length !== deployment.circuits.length)
    differs("the number of circuits", deployment.circuits.length, circuits.length);
  for (const [i, circuit] of deployment.circuits.entries()) {
    if (circuits[i]!.circuitId !== circuit.circuitId)
      differs(`the id of circuit ${i}`, circuit.circuitId, circuits[i]!.circuitId);
  }
}
