/**
 * Goes on where another machine has stopped: takes the lease, waits until the full node has all that the old sequencer still
 * hands over, and makes a sequencer's directory of the full node's, marked with the lease's new epoch.
 *
 * The lease comes first. From then on nobody acknowledges anything, so that what the full node gets afterwards is the end.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseContract } from "@openledger/bridge/l1/lease-contract";
import type { OperatorNonce } from "@openledger/bridge/operator/publishing/operator-nonce";
import { type LeaseIntent, type TakenLease, takeLease } from "@openledger/bridge/operator/take-lease";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readStoreRecord, type StoreRollup } from "@openledger/foundation/store/store-identity";
import type { Hex } from "viem";
import { z } from "zod";
import { sequencerError } from "../../sequencer-errors.ts";
import { LedgerLog } from "../../store/ledger-log.ts";
import { storeKeys } from "../../store/store-keys.ts";
import { bindLease, requirePlace, type StoredLease } from "../../store/stored-lease.ts";
import {
  inspectRestored,
  type RestoreFromFullNodeOptions,
  type RestoreFromFullNodeResult,
  restoreFromFullNode,
} from "./restore-from-full-node.ts";

interface TakeEpochOptions {
  /** Where the new sequencer keeps its ledger; what was sent is noted beside it. */
  readonly dataPath: string;
  readonly durationSeconds: number;
  /** Where clients and provers find it. */
  readonly url: string;
  readonly isPatient: boolean;
  readonly pollIntervalMs: number;
}

interface TakeOverOptions extends TakeEpochOptions, RestoreFromFullNodeOptions {
  /** The full node's API, as long as it runs; null where it is stopped already. */
  readonly fullNodeUrl: string | null;
}

export interface TakeOverModules {
  readonly lease: LeaseContract;
  /** @param onSigned to be called with each transaction before it is sent */
  readonly nonceWith: (onSigned: (hash: Hex) => Promise<void>) => OperatorNonce;
  /** Called once nobody else can acknowledge any more. */
  readonly onTaken?: () => void;
  /** Ends the full node; by default the one who reads what `tell` says does it. */
  readonly stopFullNode?: () => Promise<void>;
  /** Called once the directory is there, and again where a kill came before the end. */
  readonly finish?: () => Promise<void>;
  readonly tell: (text: string) => void;
}

export interface TakeOverResult extends RestoreFromFullNodeResult, TakenLease {
  /** Whether nothing that the old sequencer acknowledged is missing, as FollowFeed.isComplete has it; null: unknown. */
  readonly isComplete: boolean | null;
}

const intentSchema = z.object({
  afterEpoch: z.int(),
  transactionHashes: z.array(z.custom<Hex>((value) => typeof value === "string" && value.startsWith("0x"))),
});

/** An operation that was executed under the lease is durable, and in the log, within this time. */
const SETTLE_MS = 1_000;
/** A sequencer that gives the full node no answer for so long is gone. */
const GONE_MS = 5_000;

/**
 * May be killed at any moment and begun again. @throws BRG_LEASE_HELD, BRG_LEASE_LOST, SEQ_TOO_EARLY, SEQ_STORE_*, and
 * what `restoreFromFullNode` throws
 */
export async function takeOver(options: TakeOverOptions, modules: TakeOverModules): Promise<TakeOverResult> {
  const { dataPath, fullNodeUrl } = options;
  if (existsSync(dataPath)) return finishTakeOver(options, modules);
  const taken = await takeNextEpoch(options, modules);
  modules.onTaken?.();
  modules.tell(`this machine has the lease, epoch ${taken.epoch}: no other one acknowledges operations`);
  const drained = fullNodeUrl === null ? null : await drain(fullNodeUrl, modules);
  modules.tell("checks the full node's ledger, and L1's against it");
  const restored = await restoreFromFullNode(options, (log, path) => bindLease(log, path, taken.epoch));
  await modules.finish?.();
  rmSync(journalPath(dataPath), { force: true });
  return { ...restored, ...taken, isComplete: drained?.isComplete ?? null };
}

/** It was killed between giving the directory its name and the end. @throws SEQ_WRONG_DIRECTORY where it was not */
async function finishTakeOver(options: TakeOverOptions, modules: TakeOverModules): Promise<TakeOverResult> {
  const { dataPath } = options;
  const hasBegun = existsSync(journalPath(dataPath));
  const stored = hasBegun ? await storedLease(dataPath) : undefined;
  const intent = hasBegun ? readIntent(dataPath) : null;
  if (stored === undefined || stored.epoch !== intent!.afterEpoch + 1) {
    throw sequencerError("SEQ_WRONG_DIRECTORY", `there is something at ${dataPath} already`, {
      data: { reason: "store-not-empty", dataPath },
    });
  }
  requirePlace(stored, dataPath);
  const taken = await takeNextEpoch(options, modules);
  modules.onTaken?.();
  modules.tell("the directory is there already, with this epoch: it was made before");
  const found = await inspectRestored(options);
  await modules.finish?.();
  rmSync(journalPath(dataPath), { force: true });
  return { ...found, ...taken, isComplete: null };
}

/**
 * The same machine goes on with the directory that it has: the first lease of all, or one that L1 gave to nobody else.
 * @param options.isCopy the directory was copied here, and anyone who asks knows that the first one is never started again
 * @throws SEQ_LEASE_LOST, SEQ_LEASE_MISSING, BRG_LEASE_HELD, BRG_LEASE_LOST
 */
export async function takeForOwn(
  options: TakeEpochOptions & { readonly isCopy?: boolean },
  modules: TakeOverModules,
): Promise<TakenLease> {
  const { dataPath } = options;
  const stored = await storedLease(dataPath);
  if (stored !== undefined && options.isCopy !== true) requirePlace(stored, dataPath);
  const { epoch } = await modules.lease.read();
  const isOwn = epoch === (stored?.epoch ?? 0) || existsSync(journalPath(dataPath));
  if (!isOwn) {
    throw sequencerError("SEQ_LEASE_LOST", `another machine had the lease since: it is at epoch ${epoch}`, {
      data: { epoch, ownEpoch: stored?.epoch ?? null },
    });
  }
  const taken = await takeNextEpoch(options, modules);
  const log = await LedgerLog.open(dataPath, recordedRollup(dataPath));
  try {
    await bindLease(log, dataPath, taken.epoch);
  } finally {
    await log.close();
  }
  rmSync(journalPath(dataPath), { force: true });
  return taken;
}

async function storedLease(dataPath: string): Promise<StoredLease | undefined> {
  const log = await LedgerLog.open(dataPath, recordedRollup(dataPath));
  try {
    return await log.get<StoredLease>(storeKeys.lease);
  } finally {
    await log.close();
  }
}

/** The lease is asked for before L1 is: the directory's own word is as good as its name. */
function recordedRollup(dataPath: string): StoreRollup {
  const { chainId, rollupAddress } = readStoreRecord(dataPath) ?? {};
  return { chainId: chainId ?? 0, rollupAddress: rollupAddress ?? "" };
}

const journalPath = (dataPath: string) => `${dataPath}.lease.json`;

function readIntent(dataPath: string): LeaseIntent | null {
  const path = journalPath(dataPath);
  return existsSync(path) ? intentSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : null;
}

async function takeNextEpoch(options: TakeEpochOptions, modules: TakeOverModules): Promise<TakenLease> {
  const path = journalPath(options.dataPath);
  let intent = readIntent(options.dataPath);
  const keep = async (next: LeaseIntent) => {
    intent = next;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, JSON.stringify(next), { flush: true });
    await rename(`${path}.part`, path);
  };
  const nonce = modules.nonceWith(async (hash) => {
    if (intent !== null) await keep({ ...intent, transactionHashes: [...intent.transactionHashes, hash] });
  });
  try {
    return await takeLease(options, {
      ...modules,
      nonce,
      intent: () => intent,
      onIntent: (afterEpoch) =>
        keep({
          afterEpoch,
          transactionHashes: intent?.afterEpoch === afterEpoch ? intent.transactionHashes : [],
        }),
    });
  } catch (error) {
    // What was begun is over: anyone who asks again starts over, behind the machine that has it.
    if (isRollupError(error, "BRG_LEASE_LOST")) rmSync(path, { force: true });
    throw error;
  }
}

const healthSchema = z.object({
  fullNode: z.object({
    opIndex: z.int(),
    closedBatch: z.int(),
    isFeedFollowed: z.boolean().nullable(),
    isAtEnd: z.boolean().nullable(),
    isComplete: z.boolean().nullable(),
    answeredAtMs: z.number().nullable(),
  }),
});

/** What the old sequencer has executed and still hands over, comes along; then the full node is to end. */
async function drain(
  fullNodeUrl: string,
  { stopFullNode, tell }: TakeOverModules,
): Promise<{ isComplete: boolean | null }> {
  const ask = async () => {
    try {
      const response = await fetch(`${fullNodeUrl}/health`, { signal: AbortSignal.timeout(5_000) });
      return healthSchema.parse(await response.json()).fullNode;
    } catch {
      return null;
    }
  };
  // What was executed before the lease was taken has to be in a page that was asked for afterwards.
  const sinceMs = Date.now() + SETTLE_MS;
  let last = await ask();
  if (last === null) {
    tell(`${fullNodeUrl} does not answer: goes on with what its folder has`);
    return { isComplete: null };
  }
  for (let told = -1; ; ) {
    const now = await ask();
    last = now ?? last;
    const answeredAtMs = last.answeredAtMs ?? 0;
    const isAtEnd = last.isAtEnd === true && answeredAtMs > sinceMs;
    const isGone = Date.now() - Math.max(answeredAtMs, sinceMs) > GONE_MS;
    if (isAtEnd || isGone) break;
    if (last.opIndex !== told) tell(`the full node has ${last.opIndex} operations`);
    told = last.opIndex;
    await sleep(500);
  }
  const { isComplete } = last;
  tell(`the full node has all that it gets, ${last.opIndex} operations: stop it now`);
  await stopFullNode?.();
  while ((await ask()) !== null) await sleep(500);
  return { isComplete };
}
