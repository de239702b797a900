/**
 * Goes on where another machine has stopped: takes the lease, waits until the follower has all that the old sequencer still
 * hands over, and makes a sequencer's directory of the follower's, marked with the lease's new epoch.
 *
 * The lease comes first. From then on nobody acknowledges anything, so that what the follower gets afterwards is the end.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { z } from "zod";
import type { LeaseContract } from "../../bridge/l1/lease-contract.ts";
import type { OperatorNonce } from "../../bridge/operator/operator-nonce.ts";
import { type LeaseIntent, type TakenLease, takeLease } from "../../bridge/operator/take-lease.ts";
import type { StoredLease } from "../intake/lease.ts";
import { sequencerError } from "../sequencer-errors.ts";
import { LedgerLog } from "../store/ledger-log.ts";
import { storeKeys } from "../store/store-keys.ts";
import {
  type RestoreFromFollowerOptions,
  type RestoreFromFollowerResult,
  restoreFromFollower,
} from "./restore-from-follower.ts";

export interface TakeEpochOptions {
  /** Where the new sequencer keeps its ledger; what was sent is noted beside it. */
  readonly dataPath: string;
  readonly durationSeconds: number;
  /** Where clients and provers find it. */
  readonly url: string;
  readonly isPatient: boolean;
  readonly pollIntervalMs: number;
}

export interface TakeOverOptions extends TakeEpochOptions, RestoreFromFollowerOptions {
  /** The follower's API, as long as it runs; null where it is stopped already. */
  readonly followerUrl: string | null;
}

export interface TakeOverModules {
  readonly lease: LeaseContract;
  /** @param onSigned to be called with each transaction before it is sent */
  readonly nonceWith: (onSigned: (hash: Hex) => Promise<void>) => OperatorNonce;
  /** Called once nobody else can acknowledge any more. */
  readonly onTaken?: () => void;
  /** Ends the follower; by default whoever reads what `tell` says does it. */
  readonly stopFollower?: () => Promise<void>;
  readonly tell: (text: string) => void;
}

export interface TakeOverResult extends RestoreFromFollowerResult, TakenLease {
  /** Whether the old sequencer acknowledged nothing without the follower's word, as long as the follower ran; null: unknown. */
  readonly wasReplicaRequired: boolean | null;
}

const intentSchema = z.object({
  afterEpoch: z.int(),
  transactionHashes: z.array(z.custom<Hex>((value) => typeof value === "string" && value.startsWith("0x"))),
});

/** So long without a new operation, the old sequencer has nothing left, or does not answer. */
const DRAINED_MS = 3_000;

/**
 * May be killed at any moment and begun again. @throws BRG_LEASE_HELD, BRG_LEASE_LOST, SEQ_FOLLOWER_BEHIND, SEQ_STORE_*, and
 * what `restoreFromFollower` throws
 */
export async function takeOver(options: TakeOverOptions, modules: TakeOverModules): Promise<TakeOverResult> {
  const { dataPath, followerUrl } = options;
  if (existsSync(dataPath)) {
    throw sequencerError("SEQ_STORE_NOT_EMPTY", `there is something at ${dataPath} already`, {
      data: { dataPath },
    });
  }
  const taken = await takeNextEpoch(options, modules);
  modules.onTaken?.();
  modules.tell(`the lease is ours, epoch ${taken.epoch}: nobody else acknowledges operations any more`);
  const drained = followerUrl === null ? null : await drain(followerUrl, modules);
  modules.tell("checks the follower's ledger, and L1's against it");
  const restored = await restoreFromFollower(options);
  await noteEpoch(dataPath, taken.epoch);
  rmSync(journalPath(dataPath), { force: true });
  return { ...restored, ...taken, wasReplicaRequired: drained?.isReplicaRequired ?? null };
}

/** The same machine goes on with the directory that it has: the first lease of all, or one that L1 gave to nobody else. */
export async function takeForOwn(options: TakeEpochOptions, modules: TakeOverModules): Promise<TakenLease> {
  const { dataPath } = options;
  const log = await LedgerLog.open(dataPath);
  let stored: StoredLease | undefined;
  try {
    stored = await log.get<StoredLease>(storeKeys.lease);
  } finally {
    await log.close();
  }
  const { epoch } = await modules.lease.read();
  const isOwn = epoch === (stored?.epoch ?? 0) || existsSync(journalPath(dataPath));
  if (!isOwn) {
    throw sequencerError("SEQ_LEASE_LOST", `another machine had the lease since: it is at epoch ${epoch}`, {
      data: { epoch, ownEpoch: stored?.epoch ?? null },
    });
  }
  const taken = await takeNextEpoch(options, modules);
  await noteEpoch(dataPath, taken.epoch);
  rmSync(journalPath(dataPath), { force: true });
  return taken;
}

const journalPath = (dataPath: string) => `${dataPath}.lease.json`;

async function takeNextEpoch(options: TakeEpochOptions, modules: TakeOverModules): Promise<TakenLease> {
  const path = journalPath(options.dataPath);
  let intent: LeaseIntent | null = existsSync(path)
    ? intentSchema.parse(JSON.parse(readFileSync(path, "utf8")))
    : null;
  const keep = async (next: LeaseIntent) => {
    intent = next;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, JSON.stringify(next), { flush: true });
    await rename(`${path}.part`, path);
  };
  const nonce = modules.nonceWith(async (hash) => {
    if (intent !== null) await keep({ ...intent, transactionHashes: [...intent.transactionHashes, hash] });
  });
  return takeLease(options, {
    ...modules,
    nonce,
    intent,
    onIntent: (afterEpoch) =>
      keep({
        afterEpoch,
        transactionHashes: intent?.afterEpoch === afterEpoch ? intent.transactionHashes : [],
      }),
  });
}

async function noteEpoch(dataPath: string, epoch: number): Promise<void> {
  const log = await LedgerLog.open(dataPath);
  try {
    await log.write([{ key: storeKeys.lease, value: { epoch } satisfies StoredLease }]);
  } finally {
    await log.close();
  }
}

const healthSchema = z.object({
  follower: z.object({
    opIndex: z.int(),
    closedBatch: z.int(),
    isFeedFollowed: z.boolean().nullable(),
    isReplicaRequired: z.boolean().nullable().default(null),
  }),
});

/** What the old sequencer has executed and still hands over, comes along; then the follower is to end. */
async function drain(
  followerUrl: string,
  { stopFollower, tell }: TakeOverModules,
): Promise<{ isReplicaRequired: boolean | null }> {
  const ask = async () => {
    try {
      const response = await fetch(`${followerUrl}/health`, { signal: AbortSignal.timeout(5_000) });
      return healthSchema.parse(await response.json()).follower;
    } catch {
      return null;
    }
  };
  let last = await ask();
  if (last === null) {
    tell(`${followerUrl} does not answer: goes on with what its folder has`);
    return { isReplicaRequired: null };
  }
  for (let sinceMs = Date.now(); Date.now() - sinceMs < DRAINED_MS; ) {
    await sleep(200);
    const now = await ask();
    if (now !== null && now.opIndex !== last.opIndex) {
      tell(`the follower has ${now.opIndex} operations`);
      sinceMs = Date.now();
    }
    last = now ?? last;
  }
  const { isReplicaRequired } = last;
  tell(`the follower has all that it gets, ${last.opIndex} operations: stop it now`);
  await stopFollower?.();
  while ((await ask()) !== null) await sleep(500);
  return { isReplicaRequired };
}
