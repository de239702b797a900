/** Builds a running watcher for `openledger watch`: a full node, and beside it the parts that recompute and report. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { readStoreRollup } from "@openledger/client/store-rollup";
import { isUnreachable } from "@openledger/foundation/database/database-errors";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import type { Logger } from "@openledger/foundation/logger";
import { claimStore } from "@openledger/foundation/store/store-identity";
import {
  createFollowProcess,
  type FollowOptions,
  type FollowProcess,
} from "@openledger/sequencer/full-node/follow-process";
import { AlarmTeller } from "./alarm-teller.ts";
import { type BudgetLimits, DayBudget } from "./day-budget.ts";
import { recomputeOnThread } from "./recompute-thread.ts";
import { SharedTasks } from "./shared-tasks.ts";
import { createWatchMetrics } from "./watch-metrics.ts";
import type { WatcherOptions } from "./watch-parts.ts";
import { WatchStore } from "./watch-store.ts";
import { Watcher } from "./watcher.ts";

export interface WatchOptions {
  /** Options of the full node; its `dataPath` lies in the watcher's. */
  readonly fullNode: Omit<FollowOptions, "dataPath">;
  readonly dataPath: string;
  readonly watched: Omit<WatcherOptions, "rowsFolder">;
  readonly budget: BudgetLimits;
  readonly webhookUrl: string | null;
  /** Database in which several watchers share their tasks; null: the tasks are in `dataPath`. */
  readonly database: DatabaseConfig | null;
}

interface WatchModules {
  readonly logger: Logger;
  readonly onFatal: (error: unknown) => void;
  readonly onProgress?: (text: string) => void;
  /** Signs for the watcher's leaf. @param sequencerUrl the watcher's own full node */
  readonly openSigner: (sequencerUrl: string) => Promise<LedgerClient>;
  readonly knownServers: () => Readonly<Record<string, string>>;
}

export interface WatchProcess {
  readonly url: string;
  readonly fullNode: FollowProcess;
  readonly watcher: Watcher;
  stop(): Promise<void>;
}

/** Time after which a model whose files nobody serves is reported. */
const UNAVAILABLE_MS = 6 * 3_600_000;

/** @throws what `createFollowProcess`, `claimStore`, `createLedgerClient` and `SharedTasks.open` throw */
export async function startWatchProcess(options: WatchOptions, modules: WatchModules): Promise<WatchProcess> {
  const { logger, onFatal } = modules;
  const { rollupAddress, rpcUrl } = options.fullNode;
  const plain = await createLedgerClient({ rpcUrl, rollupAddress });
  const rollup = await readStoreRollup(plain, options.fullNode.deployedIn);
  claimStore(options.dataPath, { kind: "watcher", rollup });
  const parts: { watcher: Watcher | null } = { watcher: null };
  const fullNode = await createFollowProcess(
    {
      ...options.fullNode,
      deployedIn: rollup.deployedIn ?? undefined,
      dataPath: join(options.dataPath, "full-node"),
    },
    {
      ...modules,
      beside: {
        isQuiet: () => (parts.watcher?.differing.length ?? 0) === 0,
        healthFacts: () => ({ watcher: parts.watcher?.healthFacts ?? null }),
      },
    },
  );
  const url = await fullNode.listen();
  const historyUrl = options.fullNode.feedUrl ?? url;
  const seat = { rpcUrl, rollupAddress, sequencerUrl: url, historyUrl };
  const nowMs = () => Date.now();
  let store: WatchStore | null = null;
  let shared: SharedTasks | null = null;
  const stopping = new AbortController();
  const { signal } = stopping;
  const loops: Promise<void>[] = [];
  const stop = async () => {
    stopping.abort();
    await Promise.allSettled(loops);
    await fullNode.stop();
    await shared?.close();
    await store?.close();
  };
  try {
    store = await WatchStore.open(join(options.dataPath, "tasks"), rollup, onFatal);
    if (options.database !== null) {
      shared = await SharedTasks.open(options.database, rollup, logger);
      await shared.adopt(await store.all());
    }
    const watcher = await Watcher.open(
      { ...options.watched, rowsFolder: join(options.dataPath, "rows") },
      {
        tasks: shared ?? store,
        signal,
        budget: await DayBudget.open(options.budget, store, nowMs),
        metrics: createWatchMetrics(fullNode.registry),
        logger,
        nowMs,
        reader: { ...plain, sequencerUrl: url },
        history: { ...plain, sequencerUrl: historyUrl },
        leaves: () => fullNode.followed.head.ledger.leaves.withMore(),
        run: (task, options) => recomputeOnThread(seat, task, options),
        openSigner: () => modules.openSigner(url),
        knownServers: modules.knownServers,
      },
    );
    parts.watcher = watcher;
    const teller = new AlarmTeller(
      {
        webhookUrl: options.webhookUrl,
        chainId: rollup.chainId,
        rollupAddress,
        unavailableMs: UNAVAILABLE_MS,
      },
      { watcher, alarms: () => alarmsOf(fullNode), logger, nowMs },
    );
    // Two loops, since alarms do not wait until a model is trained.
    for (const work of [() => teller.poll(), () => watcher.poll()])
      loops.push(repeat(work, options.fullNode.pollIntervalMs, signal, { logger, onFatal }));
    return { url, fullNode, watcher, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param work returns true if it goes on at once */
async function repeat(
  work: () => Promise<unknown>,
  intervalMs: number,
  signal: AbortSignal,
  { logger, onFatal }: Pick<WatchModules, "logger" | "onFatal">,
): Promise<void> {
  let isAway = false;
  while (!signal.aborted) {
    let hasMore = false;
    try {
      hasMore = (await work()) === true;
      isAway = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!isUnreachable(error)) return onFatal(error);
      if (!isAway)
        logger.warn({ err: error }, "the database of the shared tasks does not answer; will try again");
      isAway = true;
    }
    if (!hasMore) await sleep(intervalMs, undefined, { signal }).catch(() => {});
  }
}

function alarmsOf({ alarms }: FollowProcess) {
  const lasting = alarms.all.map(({ evidence: { preconfirmation }, reason }) => ({
    name: `equivocation ${preconfirmation.opIndex} ${preconfirmation.operationHash} ${reason}`,
    kind: "equivocation",
    text: `the sequencer has signed what is not so: operation ${preconfirmation.opIndex}, ${reason}`,
  }));
  return [...lasting, ...alarms.passing.map(({ kind, why }) => ({ name: kind, kind, text: why }))];
}
