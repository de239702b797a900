/**
 * The full node's directory: made from L1, reused after restarts, made again where L1 has replaced final
 * batches. Evidence moves over: the old directory goes only once the new one has it. follow-process.ts opens
 * it.
 */
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { malformedOf } from "@openledger/bridge/l1/submission/malformed-batch";
import type { DeploymentBlock } from "@openledger/foundation/store/store-identity";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { LedgerBlobs } from "../batches/ledger-blobs.ts";
import { FOLLOW_MARKER, type FollowMarker } from "../store/follow-marker.ts";
import { LedgerLog } from "../store/ledger-log.ts";
import { underPrefix } from "../store/store-keys.ts";
import { ALARM_PREFIX } from "./follow-alarms.ts";
import { PRECONFIRMATION_PREFIX } from "./follow-preconfirmations.ts";
import { restoreFromL1 } from "./restore/restore-from-l1.ts";

interface FollowStoreOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: `0x${string}`;
  readonly fromBlock?: bigint | undefined;
  readonly deployedIn?: DeploymentBlock | null | undefined;
  readonly snapshot?: LedgerSnapshot | undefined;
  readonly finalityDepthBlocks: number;
  readonly blobs?: BlobSource | undefined;
}

/**
 * The directory's log, with L1 up to a final block in it.
 * @throws SEQ_WRONG_DIRECTORY for another rollup's, or a sequencer's; SRV_STORE_FORMAT; as restoreFromL1
 */
export async function openFollowedLog(
  path: string,
  rollup: RollupContract,
  options: FollowStoreOptions,
  { onFatal, onProgress }: { onFatal: (error: unknown) => void; onProgress?: (text: string) => void },
): Promise<LedgerLog> {
  await mkdir(dirname(path), { recursive: true });
  const [replaced, gone] = [`${path}.replaced`, `${path}.gone`];
  await rm(gone, { recursive: true, force: true });
  // Renamed first: no start opens a folder that a kill left half removed.
  const discard = async (folder: string) => {
    await rename(folder, gone);
    await rm(gone, { recursive: true });
  };
  const owner = { owner: "full-node" } as const;
  const chainId = await l1Call("read the chain id", () => rollup.client.getChainId());
  const own = { chainId, rollupAddress: rollup.address, deployedIn: options.deployedIn };
  let log = existsSync(path) ? await LedgerLog.open(path, own, onFatal, owner) : null;
  if (log !== null && !(await isUsable(log, rollup))) {
    await log.close();
    log = null;
    // A folder that was put aside before holds all evidence; this one was made since, and not to its end.
    if (existsSync(replaced)) await discard(path);
    else await rename(path, replaced);
  }
  let old: LedgerLog | null = null;
  try {
    if (existsSync(replaced)) old = await LedgerLog.open(replaced, own, undefined, owner);
    if (log === null) {
      const onBatch = (batchNumber: number) => onProgress?.(`batch ${batchNumber}`);
      const blobs = old === null ? options.blobs : withBlobsOf(old, options.blobs);
      const restoring = { ...options, blobs, dataPath: path, followMarker: true, onBatch };
      try {
        await restoreFromL1(restoring);
      } catch (error) {
        // The last good state is made, and the first poll of L1 finds the batch again.
        const malformed = malformedOf(error);
        if (malformed === null) throw error;
        await restoreFromL1({ ...restoring, lastBlock: malformed.blockNumber - 1 });
      }
      log = await LedgerLog.open(path, own, onFatal, owner);
    }
    if (old !== null) await takeEvidence(old, log);
  } catch (error) {
    await log?.close();
    throw error;
  } finally {
    await old?.close();
  }
  if (old !== null) await discard(replaced);
  return log;
}

/** Preconfirmations and alarms: all that L1 cannot give again. */
async function takeEvidence(old: LedgerLog, log: LedgerLog): Promise<void> {
  for (const prefix of [PRECONFIRMATION_PREFIX, ALARM_PREFIX])
    for await (const [key, value] of old.each<unknown>(underPrefix(prefix))) void log.write([{ key, value }]);
  await log.flushed();
}

/**
 * Adds the old directory's blobs as a source: it may be the only one left.
 * @param blobs undefined: no circuit has any
 */
function withBlobsOf(old: LedgerLog, blobs: BlobSource | undefined): BlobSource | undefined {
  if (blobs === undefined) return undefined;
  const known = new LedgerBlobs(old);
  return {
    async coefficients(wanted) {
      const bytes = await known.read(wanted.versionedHash);
      const checked = bytes === null ? null : await checkedCoefficients(bytes, wanted.versionedHash);
      return checked ?? blobs.coefficients(wanted);
    },
  };
}

async function isUsable(log: LedgerLog, { client }: RollupContract): Promise<boolean> {
  const marker = await log.get<FollowMarker>(FOLLOW_MARKER);
  if (marker === undefined) return false;
  const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
  // A node that is behind may still catch up.
  if (head < BigInt(marker.blockNumber)) return true;
  const block = await l1Call(`read block ${marker.blockNumber}`, () =>
    client.getBlock({ blockNumber: BigInt(marker.blockNumber) }),
  );
  if (block.hash === marker.blockHash) return true;
  return false;
}
