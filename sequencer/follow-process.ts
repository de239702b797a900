/** Everything that a running follower consists of, wired up: `openledger follow` gives it options and signals. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { createL1Client } from "../bridge/l1-client.ts";
import type { LedgerSnapshot } from "../bridge/ledger-snapshot.ts";
import { receiptContext } from "../bridge/receipt-check.ts";
import { type RegisteredCircuit, RollupContract } from "../bridge/rollup-contract.ts";
import type { VerifyProof } from "../bridge/verify-keys.ts";
import { batchShape, isNameOfSizes } from "../circuits/circuit-sizes.ts";
import { initPoseidon } from "../circuits/poseidon.ts";
import { kindRule } from "../circuits/protocol.ts";
import { isRollupError } from "../circuits/rollup-error.ts";
import { createApi } from "./api.ts";
import type { BatchRecord } from "./batch-record.ts";
import { Feed } from "./feed.ts";
import { contradictionView, FollowAlarms } from "./follow-alarms.ts";
import { FollowFeed } from "./follow-feed.ts";
import { FollowHost, type LeaderTerms } from "./follow-host.ts";
import { FollowL1 } from "./follow-l1.ts";
import { openFollowedLog } from "./follow-store.ts";
import { FollowedLedger } from "./followed-ledger.ts";
import { leavesOf, type OperationEntry } from "./log-entry.ts";
import type { Logger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";

export interface FollowOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: `0x${string}`;
  /** The contract's own block, where it is known. */
  readonly fromBlock?: bigint | undefined;
  /** The sequencer, or another follower; null: L1 alone. */
  readonly feedUrl: string | null;
  /** Folder of the ledger and of what was kept as evidence. */
  readonly dataPath: string;
  readonly snapshot?: LedgerSnapshot | undefined;
  readonly finalityDepthBlocks: number;
  readonly host: string;
  readonly port: number;
  readonly pollIntervalMs: number;
  /** No new block, or no answer from the sequencer, for so long is an alarm. */
  readonly stallMs: number;
  readonly rateLimitPerMinute: number;
  /** Verifies every proof, too. */
  readonly verifyProof?: VerifyProof | undefined;
}

export interface FollowModules {
  readonly logger: Logger;
  /** Something that only a new start mends; SEQ_FOLLOW_REORGANISED among it. */
  readonly onFatal: (error: unknown) => void;
  readonly onProgress?: (text: string) => void;
}

export interface FollowProcess {
  readonly followed: FollowedLedger;
  readonly alarms: FollowAlarms;
  readonly app: Awaited<ReturnType<typeof createApi>>;
  /** One look at L1 and at the sequencer; `listen` repeats it. */
  poll(): Promise<void>;
  /** Starts to listen and to poll. @returns the URL */
  listen(): Promise<string>;
  stop(): Promise<void>;
}

/** A difference may be the sequencer's rebuild, seen in the middle; this often in a row it is none. */
const MAX_DIFFERENCES = 3;

const infoSchema = z.object({
  chainId: z.number(),
  feePerUnitWei: z.string().transform(BigInt),
  feeAccountId: z.number(),
  circuits: z.array(z.object({ name: z.string() })),
  limits: z.object({ sealIntervalMs: z.number() }),
});

/** @throws SEQ_FOLLOW_*, SEQ_STORE_*, BRG_SNAPSHOT_FALSE, BRG_L1_*, BRG_HISTORY_UNREADABLE */
export async function createFollowProcess(
  options: FollowOptions,
  modules: FollowModules,
): Promise<FollowProcess> {
  const { logger } = modules;
  await initPoseidon();
  const rollup = new RollupContract({
    client: createL1Client({ rpcUrl: options.rpcUrl }),
    address: options.rollupAddress,
  });
  const context = await receiptContext(rollup);
  const registered = await rollup.circuits();
  const [idFeeWei, tokenAddress] = await Promise.all([rollup.idFeeWei(), rollup.token()]);
  const info = options.feedUrl === null ? null : await readInfo(options.feedUrl, logger);
  const circuits = registered.map((circuit) => ({ ...circuit, name: nameOf(circuit, info) }));
  const log = await openFollowedLog(join(options.dataPath, "ledger"), rollup, options, modules);
  try {
    const { chainId, domain, rollupAddress, sequencerAddress } = context;
    const rules = { domain, idFeeWei, shape: batchShape(registered[0]!) };
    const followed = await FollowedLedger.open(log, { chainId, rollupAddress, rules, circuits });
    const metrics = createMetrics();
    const evidencePath = join(options.dataPath, "evidence");
    const alarms = await FollowAlarms.load({ log, logger, registry: metrics.registry, evidencePath });
    const feed = new Feed({ maxClients: 1_000, maxBufferedBytes: 1 << 20 }, (count) =>
      metrics.feedClients.set(count),
    );
    const announce = (record: BatchRecord) => {
      const { batchHash, number: batchNumber, status } = record;
      metrics.batches.finalizedBatch.set(followed.book.finalNumber);
      feed.publish("batches", status, {
        batchNumber,
        status,
        batchHash,
        l1TransactionHash: record.l1?.transactionHash ?? null,
      });
    };
    let leader: FollowFeed | null = null;
    const l1 = new FollowL1(
      { finalityDepthBlocks: options.finalityDepthBlocks, maxChunkBlocks: 2_000 },
      {
        rollup,
        registered,
        followed,
        alarms,
        verifyProof: options.verifyProof,
        onBatch: (record, isOwn) => {
          if (!isOwn) leader?.forgetPlace();
          announce(record);
          logger.info({ batchNumber: record.number, wasShown: isOwn }, "batch is final");
        },
      },
    );
    if (options.feedUrl !== null) {
      leader = new FollowFeed(options.feedUrl, {
        context,
        followed,
        alarms,
        queued: l1.queued,
        l1BlockNumber: () => l1.l1Head?.blockNumber ?? 0,
        onBatch: announce,
        onOperation: (entry) => publishOperation(feed, entry),
      });
    }
    const times = { l1AtMs: Date.now(), l1Block: -1, feedAtMs: Date.now(), followedAtMs: Date.now() };
    let differenceCount = 0;

    const pollL1 = async () => {
      const nowMs = Date.now();
      try {
        await l1.poll();
      } catch (error) {
        if (!isPassing(error)) throw error;
        logger.warn({ code: (error as { code: string }).code }, "L1 could not be read");
      }
      const blockNumber = l1.l1Head?.blockNumber ?? -1;
      if (blockNumber !== times.l1Block) Object.assign(times, { l1Block: blockNumber, l1AtMs: nowMs });
      const isStalled = nowMs - times.l1AtMs > options.stallMs;
      alarms.set("l1-stalled", isStalled ? `no new block of L1 for ${options.stallMs} ms` : null);
    };
    const pollFeed = async () => {
      if (leader === null) return;
      const nowMs = Date.now();
      try {
        while (await leader.poll());
        differenceCount = 0;
        times.feedAtMs = nowMs;
        if (leader.isFollowed) times.followedAtMs = nowMs;
      } catch (error) {
        if (!isRollupError(error) || error.code === "SEQ_FOLLOW_WRONG_ROLLUP") throw error;
        if (!/^(SEQ_LEADER|BRG_RECEIPT)_/.test(error.code)) throw error;
        if (error.code !== "SEQ_LEADER_UNREACHABLE") differenceCount += 1;
        logger.warn({ code: error.code, data: error.data }, "the sequencer's log could not be followed");
        if (differenceCount >= MAX_DIFFERENCES) alarms.set("feed-differs", error.message);
      }
      const isSilent = nowMs - times.feedAtMs > options.stallMs;
      alarms.set("feed-stalled", isSilent ? `${leader.url} gave nothing for ${options.stallMs} ms` : null);
      if (leader.isFollowed && differenceCount === 0) alarms.set("feed-differs", null);
      else if (nowMs - times.followedAtMs > options.stallMs)
        alarms.set("feed-differs", `${leader.url} has not the batches that L1 has`);
    };
    const poll = async () => {
      await pollL1();
      await pollFeed();
    };

    const sequencerUrl = options.feedUrl;
    const host = new FollowHost(
      followed,
      {
        l1Head: () => l1.l1Head,
        queueSeenIndex: () => l1.queueSeenIndex,
        isQuiet: () => alarms.isQuiet,
        healthFacts: () => ({
          follower: {
            l1BlockNumber: l1.l1Head?.blockNumber ?? null,
            finalBatch: followed.book.finalNumber,
            postedBatch: l1.postedNumber,
            sealedBatch: followed.book.sealedNumber,
            opIndex: followed.head.position.opIndex,
            feedUrl: sequencerUrl,
            isFeedFollowed: leader?.isFollowed ?? null,
          },
          alarms: [
            ...alarms.all.map(({ evidence, reason }) => ({
              kind: reason,
              opIndex: evidence.receipt.opIndex,
            })),
            ...alarms.passingView,
          ],
        }),
      },
      leaderTerms(followed, info),
      sequencerUrl,
    );
    const app = await createApi(
      {
        deployment: { chainId, rollupAddress, tokenAddress, domain, idFeeWei, circuits },
        receiptSigner: sequencerAddress,
        l1Confirmations: options.finalityDepthBlocks,
        rateLimitPerMinute: options.rateLimitPerMinute,
      },
      {
        sequencer: host,
        operator: null,
        feed,
        metrics,
        logger,
        clock: Date.now,
        routes: (routes) => {
          routes.get(
            "/v1/alarms",
            { schema: { tags: ["feed"], summary: "Kept contradictions" } as object },
            () => alarms.all.map(contradictionView),
          );
        },
      },
    );
    let timer: NodeJS.Timeout | undefined;
    let running: Promise<void> = Promise.resolve();
    let isStopping = false;
    const repeat = () => {
      running = poll().then(
        () => {
          if (!isStopping) timer = setTimeout(repeat, options.pollIntervalMs);
        },
        (error: unknown) => {
          if (!isStopping) modules.onFatal(error);
        },
      );
    };
    return {
      followed,
      alarms,
      app,
      poll,
      async listen() {
        await app.listen({ host: options.host, port: options.port });
        repeat();
        const { address, family, port } = app.server.address() as AddressInfo;
        return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
      },
      async stop() {
        isStopping = true;
        clearTimeout(timer);
        await running;
        feed.close();
        await app.close();
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** A node that does not answer, or is behind: the next poll may succeed. */
const isPassing = (error: unknown): boolean =>
  isRollupError(error) &&
  error.isRetryable &&
  (error.code.startsWith("BRG_L1_") || error.code === "BRG_BATCH_NOT_IN_CALL");

function publishOperation(feed: Feed, entry: OperationEntry): void {
  const { batchNumber, hash, opIndex, operation } = entry;
  const data = {
    hash,
    kind: kindRule(operation.kind)!.name,
    a: operation.a,
    b: operation.b,
    opIndex,
    batchNumber,
  };
  feed.publish("operations", "acknowledged", data);
  for (const id of leavesOf(entry)) feed.publish(`leaf:${id}`, "acknowledged", data);
}

type Info = z.output<typeof infoSchema>;

/** Names and fees as the sequencer tells them; nothing depends on them. null where it does not answer now. */
async function readInfo(url: string, logger: Logger): Promise<Info | null> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/v1/info`, {
      signal: AbortSignal.timeout(10_000),
    });
    return infoSchema.parse(await response.json());
  } catch (error) {
    logger.warn({ url, err: error }, "the sequencer tells nothing of itself now");
    return null;
  }
}

/** L1 does not tell how many rows, features and draws a settlement circuit has; the sequencer may, with what L1 does. */
function nameOf(circuit: RegisteredCircuit, info: Info | null): string {
  const told = info?.circuits[circuit.index]?.name;
  if (told !== undefined && isNameOfSizes(told, circuit)) return told;
  return `circuit-${circuit.index}`;
}

function leaderTerms({ book }: FollowedLedger, info: Info | null): LeaderTerms {
  if (info !== null) {
    const { feeAccountId, feePerUnitWei, limits } = info;
    return { feeAccountId, feePerUnitWei, sealIntervalMs: limits.sealIntervalMs };
  }
  const last = book.record(book.sealedNumber);
  return {
    feeAccountId: last?.feeAccountId ?? 1,
    feePerUnitWei: last?.feePerUnitWei ?? 0n,
    sealIntervalMs: 10_000,
  };
}
