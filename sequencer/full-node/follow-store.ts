/**
 * The full node's directory: made from L1, reused after restarts, made again where L1 has replaced final
 * batches. Evidence moves over: the old directory goes only once the new one has it. follow-process.ts opens
 * it.
 */
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { malformedOf } from "@openledger/bridge/l1/submission/malformed-batch";
import type { DeploymentBlock } from "@openledger/foundation/store/store-identity";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { LedgerBlobs } from "../batches/ledger-blobs.ts";
import { isMarkerOnL1 } from "../store/follow-marker.ts";
import { LedgerLog } from "../store/ledger-log.ts";
import { underPrefix } from "../store/store-keys.ts";
import { ALARM_PREFIX } from "./follow-alarms.ts";
import { PRECONFIRMATION_PREFIX } from "./follow-preconfirmations.ts";
import { FollowedLedger, type FollowedRollup } from "./followed-ledger.ts";
import { type FillOptions, fillFromL1, finalBlockOf, writeBeginning } from "./restore/fill-directory.ts";

interface FollowStoreOptions {
  readonly fromBlock?: bigint | undefined;
  readonly deployedIn?: DeploymentBlock | null | undefined;
  readonly snapshot?: LedgerSnapshot | undefined;
  readonly finalityDepthBlocks: number;
}

interface FollowStoreModules {
  readonly rollup: RollupContract;
  readonly facts: FollowedRollup;
  readonly onFatal: (error: unknown) => void;
  readonly onProgress?: (text: string) => void;
}

/**
 * The directory's ledger, with L1 up to a final block in it.
 * @throws SEQ_WRONG_DIRECTORY for another rollup's, or a sequencer's; SRV_STORE_FORMAT; as writeBeginning and fillFromL1
 */
export async function openFollowedLedger(
  path: string,
  options: FollowStoreOptions,
  { facts, onFatal, onProgress, rollup }: FollowStoreModules,
): Promise<FollowedLedger> {
  await mkdir(dirname(path), { recursive: true });
  const [replaced, gone] = [`${path}.replaced`, `${path}.gone`];
  await rm(gone, { recursive: true, force: true });
  // Renamed first: no start opens a folder that a kill left half removed.
  const discard = async (folder: string) => {
    await rename(folder, gone);
    await rm(gone, { recursive: true });
  };
  const owner = { owner: "full-node" } as const;
  const own = { ...facts, deployedIn: options.deployedIn };
  let log = existsSync(path) ? await LedgerLog.open(path, own, onFatal, owner) : null;
  if (log !== null && !(await isMarkerOnL1(log, rollup))) {
    await log.close();
    log = null;
    // A folder that was put aside before holds all evidence; this one was made since, and not to its end.
    if (existsSync(replaced)) await discard(path);
    else await rename(path, replaced);
  }
  let old: LedgerLog | null = null;
  let followed: FollowedLedger;
  try {
    if (existsSync(replaced)) old = await LedgerLog.open(replaced, own, undefined, owner);
    if (log !== null && old === null) followed = await FollowedLedger.open(log, facts);
    else {
      const toBlock = await finalBlockOf(rollup, options.finalityDepthBlocks);
      const fill = { ...options, toBlock, onBatch: (number: number) => onProgress?.(`batch ${number}`) };
      if (log === null) {
        log = await LedgerLog.open(path, own, onFatal, owner);
        await writeBeginning(log, rollup, fill);
      }
      followed = await FollowedLedger.open(log, facts);
      await fillToMalformed(followed, withBlobsOf(old, rollup), facts, fill);
      if (old !== null) await takeEvidence(old, log);
    }
  } catch (error) {
    await log?.close();
    throw error;
  } finally {
    await old?.close();
  }
  if (old !== null) await discard(replaced);
  followed.keepLeaves();
  return followed;
}

/** Makes the last good state before a malformed batch of L1. The first poll of L1 finds that batch again. */
async function fillToMalformed(
  followed: FollowedLedger,
  rollup: RollupContract,
  { circuits }: FollowedRollup,
  fill: FillOptions,
): Promise<void> {
  try {
    await fillFromL1(followed, rollup, circuits, fill);
  } catch (error) {
    if (malformedOf(error) === null) throw error;
  }
}

/** Preconfirmations and alarms: all that L1 cannot give again. */
async function takeEvidence(old: LedgerLog, log: LedgerLog): Promise<void> {
  for (const prefix of [PRECONFIRMATION_PREFIX, ALARM_PREFIX])
    for await (const [key, value] of old.each<unknown>(underPrefix(prefix))) void log.write([{ key, value }]);
  await log.flushed();
}

/** The rollup with the old directory's blobs as a source, too: it may be the only one left. */
function withBlobsOf(old: LedgerLog | null, rollup: RollupContract): RollupContract {
  if (old === null) return rollup;
  const { address, blobs, client } = rollup;
  const known = new LedgerBlobs(old);
  return new RollupContract({
    client,
    address,
    blobs: {
      async coefficients(request) {
        const bytes = await known.read(request.versionedHash);
        const checked = bytes === null ? null : await checkedCoefficients(bytes, request.versionedHash);
        return checked ?? blobs.coefficients(request);
      },
    },
  });
}
