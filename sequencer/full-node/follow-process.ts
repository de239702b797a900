/**
 * Builds a running full node (a read-only copy that checks the sequencer against L1): stores, readers of L1 and the sequencer,
 * API; `openledger follow` gives it options and signals.
 */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BlobProvidersOptions } from "@openledger/bridge/blobs/blob-providers";
import { readDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { type RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { kindRule } from "@openledger/circuits/protocol";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { Logger } from "@openledger/foundation/logger";
import { claimStore, type DeploymentBlock } from "@openledger/foundation/store/store-identity";
import { preconfirmationContext } from "@openledger/verifier/evidence/preconfirmation-check";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import type { VerifyProof } from "@openledger/verifier/replay/verify-keys";
import { createApi } from "../api/api.ts";
import type { ServedDeployment } from "../api/api-options.ts";
import type { ServedPages } from "../api/pages.ts";
import { Feed } from "../batches/feed.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { leavesOf, type OperationEntry } from "../store/log-entry.ts";
import { wrongDirectory } from "../store/store-failure.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import { equivocationView, FollowAlarms } from "./follow-alarms.ts";
import { FollowFeed } from "./follow-feed.ts";
import { FollowHost } from "./follow-host.ts";
import { FollowL1 } from "./follow-l1.ts";
import { FollowLoop, type FollowLoopOptions } from "./follow-loop.ts";
import { openFollowedLedger } from "./follow-store.ts";
import { openFollowedBlobs } from "./followed-blobs.ts";
import { type FollowedLedger, readFollowedRollup } from "./followed-ledger.ts";
import { circuitNameOf, leaderTerms, readLeaderInfo } from "./leader-info.ts";

export interface FollowOptions extends FollowLoopOptions, ServerLimits {
  readonly rpcUrl: string;
  readonly rollupAddress: `0x${string}`;
  /** The contract's own block, where it is known. */
  readonly fromBlock?: bigint | undefined;
  /** That block, as a deployment record names it; else L1 is asked. */
  readonly deployedIn?: DeploymentBlock | undefined;
  /** The sequencer, or another full node; null: L1 alone. */
  readonly feedUrl: string | null;
  /** Folder of the ledger and of the stored evidence. */
  readonly dataPath: string;
  readonly snapshot?: LedgerSnapshot | undefined;
  readonly finalityDepthBlocks: number;
  readonly host: string;
  readonly port: number;
  /** Pages at `/`; absent: none are served. */
  readonly pages?: ServedPages | undefined;
  /** Verifies every proof again; absent: the contract's verification is enough. */
  readonly verifyProof?: VerifyProof | undefined;
  /** Places of blobs besides its own archive and the feed. */
  readonly blobs?: BlobProvidersOptions | undefined;
}

interface FollowModules {
  readonly logger: Logger;
  /** Called with an error that only a restart mends, SEQ_FOLLOW_REORGANISED among them. */
  readonly onFatal: (error: unknown) => void;
  readonly onProgress?: (text: string) => void;
  /** Health of what runs beside the full node, for `/health`. */
  readonly beside?: {
    readonly isQuiet: () => boolean;
    readonly healthFacts: () => object;
  };
}

export interface FollowProcess {
  readonly followed: FollowedLedger;
  readonly alarms: FollowAlarms;
  /** Metrics that `/metrics` shows. */
  readonly registry: Metrics["registry"];
  readonly app: Awaited<ReturnType<typeof createApi>>;
  /** Runs one poll of L1 and of the sequencer; `listen` repeats it. */
  poll(): Promise<void>;
  /** Starts to listen and to poll. @returns the URL */
  listen(): Promise<string>;
  stop(): Promise<void>;
}

/** Limits of the full node's own feed: clients, and unread bytes of one of them. */
const FEED_OPTIONS = { maxClients: 1_000, maxBufferedBytes: 1 << 20 };
/** Maximum connections, those of the feed included. */
const MAX_CONNECTIONS = 2_000;
const MAX_CHUNK_BLOCKS = 2_000;

/** @throws SEQ_FOLLOW_*, SEQ_STORE_*, BRG_SNAPSHOT_INVALID, BRG_L1_*, BRG_HISTORY_UNREADABLE */
export async function createFollowProcess(
  options: FollowOptions,
  modules: FollowModules,
): Promise<FollowProcess> {
  await initPoseidon();
  const client = createL1Client({ rpcUrl: options.rpcUrl });
  const metrics = createMetrics();
  const plain = new RollupContract({ client, address: options.rollupAddress });
  const facts = await readFollowedRollup(plain);
  const deployedIn = options.deployedIn ?? (await readDeploymentBlock(plain));
  const own = { chainId: facts.chainId, rollupAddress: options.rollupAddress, deployedIn };
  // Blobs and evidence lie beside the ledger.
  claimStore(options.dataPath, { kind: "full-node", rollup: own }, wrongDirectory);
  const registered = facts.circuits;
  const blobs = await openFollowedBlobs(registered, options, { ...modules, metrics });
  const rollup = new RollupContract({ client, address: options.rollupAddress, blobs });
  const store = { ...options, deployedIn };
  const path = join(options.dataPath, "ledger");
  const followed = await openFollowedLedger(path, store, { ...modules, rollup, facts });
  try {
    return await wire(options, modules, { rollup, registered, followed, metrics });
  } catch (error) {
    await followed.log.close();
    throw error;
  }
}

interface FollowedRollupParts {
  readonly rollup: RollupContract;
  readonly registered: readonly RegisteredCircuit[];
  readonly followed: FollowedLedger;
  readonly metrics: Metrics;
}

async function wire(
  options: FollowOptions,
  { beside, logger, onFatal }: FollowModules,
  { followed, metrics, registered, rollup }: FollowedRollupParts,
): Promise<FollowProcess> {
  const { dataPath, feedUrl, finalityDepthBlocks, verifyProof } = options;
  const context = await preconfirmationContext(rollup);
  const [idFeeWei, tokenAddress] = await Promise.all([rollup.idFeeWei(), rollup.token()]);
  const info = feedUrl === null ? null : await readLeaderInfo(feedUrl, logger);
  const circuits = registered.map((circuit) => ({ ...circuit, name: circuitNameOf(circuit, info) }));
  const { chainId, domain, rollupAddress, sequencerAddress } = context;
  const { log } = followed;
  const { registry } = metrics;
  const alarms = await FollowAlarms.load({ log, logger, registry, evidencePath: join(dataPath, "evidence") });
  const feed = new Feed(FEED_OPTIONS, (count) => metrics.feedClients.set(count));
  let leader: FollowFeed | null = null;
  const l1 = new FollowL1(
    { finalityDepthBlocks, maxChunkBlocks: MAX_CHUNK_BLOCKS },
    {
      rollup,
      registered,
      followed,
      alarms,
      verifyProof,
      onBatch: (record, isOwn) => {
        if (!isOwn) leader?.forgetPlace();
        metrics.batches.finalizedBatch.set(record.number);
        publishBatch(feed, record);
        logger.info({ batchNumber: record.number, wasShown: isOwn }, "batch is final");
      },
      onRewind: () => leader?.forgetPlace(),
      onFrozen: (isFrozen) => {
        metrics.frozen.set(isFrozen ? 1 : 0);
        if (isFrozen)
          logger.error({ code: "SEQ_FROZEN" }, "the rollup is frozen on L1: what is in it leaves by exits");
        else logger.warn({}, "L1 took the freeze back");
      },
    },
  );
  if (feedUrl !== null) {
    leader = new FollowFeed(feedUrl, {
      context,
      followed,
      alarms,
      queued: l1.queue.queued,
      l1BlockNumber: () => l1.l1Head?.blockNumber ?? 0,
      onBatch: (record) => publishBatch(feed, record),
      onOperation: (entry) => publishOperation(feed, entry),
    });
  }
  const loop = new FollowLoop(options, { l1, leader, alarms, logger, onFatal });
  const host = new FollowHost(
    followed,
    {
      l1Head: () => l1.l1Head,
      queueSeenIndex: () => l1.queue.seenIndex,
      isQuiet: () => alarms.isQuiet && (beside?.isQuiet() ?? true),
      isFrozen: () => l1.isFrozen,
      healthFacts: () => ({ ...healthFacts(followed, l1, leader, alarms), ...beside?.healthFacts() }),
    },
    leaderTerms(followed.registry, info),
    feedUrl,
  );
  const deployment: ServedDeployment = { chainId, rollupAddress, tokenAddress, domain, idFeeWei, circuits };
  const { maxConnections = MAX_CONNECTIONS, proxies, publicUrl, rateLimitPerMinute } = options;
  const app = await createApi(
    {
      deployment,
      preconfirmationSigner: sequencerAddress,
      l1Confirmations: finalityDepthBlocks,
      rateLimitPerMinute,
      maxConnections,
      proxies,
      publicUrl,
      pages: options.pages,
    },
    {
      sequencer: host,
      operator: null,
      feed,
      metrics,
      logger,
      clock: Date.now,
      routes: (routes) => {
        const schema = { tags: ["feed"], summary: "Equivocations that were kept" } as object;
        routes.get("/v1/alarms", { schema }, () => alarms.all.map(equivocationView));
      },
    },
  );
  return {
    followed,
    alarms,
    registry,
    app,
    poll: () => loop.poll(),
    async listen() {
      await app.listen({ host: options.host, port: options.port });
      loop.start();
      const { address, family, port } = app.server.address() as AddressInfo;
      return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
    },
    async stop() {
      await loop.stop();
      feed.close();
      await app.close();
      await log.close();
    },
  };
}

function healthFacts(
  { registry, head }: FollowedLedger,
  l1: FollowL1,
  leader: FollowFeed | null,
  alarms: FollowAlarms,
): object {
  const equivocations = alarms.all.map(({ evidence, reason }) => ({
    kind: reason,
    opIndex: evidence.preconfirmation.opIndex,
  }));
  return {
    fullNode: {
      l1BlockNumber: l1.l1Head?.blockNumber ?? null,
      finalBatch: registry.finalNumber,
      postedBatch: l1.postedNumber,
      closedBatch: registry.closedNumber,
      opIndex: head.position.opIndex,
      feedUrl: leader?.url ?? null,
      isFeedFollowed: leader?.isFollowed ?? null,
      isFrozen: l1.isFrozen,
      malformedBatch: l1.malformed,
    },
    alarms: [...equivocations, ...alarms.passing],
  };
}

function publishBatch(feed: Feed, { batchHash, l1, number: batchNumber, status }: StoredBatch): void {
  const data = { batchNumber, status, batchHash, l1TransactionHash: l1?.transactionHash ?? null };
  feed.publish("batches", status, data);
}

function publishOperation(feed: Feed, entry: OperationEntry): void {
  const { batchNumber, hash, opIndex, operation } = entry;
  const { a, b } = operation;
  const data = { hash, kind: kindRule(operation.kind)!.name, a, b, opIndex, batchNumber };
  feed.publish("operations", "acknowledged", data);
  for (const id of leavesOf(entry)) feed.publish(`leaf:${id}`, "acknowledged", data);
}
