/**
 * Makes a sequencer's data directory from L1 alone, as of the last final block. The following is lost: operations that were
 * acknowledged and never posted, preconfirmations, hashes of operations, proofs. `openledger restore --from-l1` calls it.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  type DeploymentBlock,
  readStoreRecord,
  type StoreRollup,
} from "@openledger/foundation/store/store-identity";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import type { Address } from "viem";
import { sequencerError } from "../../sequencer-errors.ts";
import { FOLLOW_MARKER, type FollowMarker, isMarkerOnL1 } from "../../store/follow-marker.ts";
import { LedgerLog } from "../../store/ledger-log.ts";
import type { ChainPosition } from "../../store/log-entry.ts";
import { storeKindOf } from "../../store/store-failure.ts";
import { unpromisedFrom } from "../../store/unpromised-positions.ts";
import { FollowedLedger, readFollowedRollup } from "../followed-ledger.ts";
import { fillFromL1, finalBlockOf, writeBeginning } from "./fill-directory.ts";
import { promoteDirectory } from "./promote-directory.ts";

export interface RestoreFromL1Options {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Block of the rollup's deployment, where it is known; else it is searched for. */
  readonly fromBlock?: bigint | undefined;
  /** That block, for the record of the directory; absent: the process that takes the directory names it. */
  readonly deployedIn?: DeploymentBlock | null | undefined;
  /** Source of the blobs of its batches; absent: blobs are not read. */
  readonly blobs?: BlobSource | undefined;
  /** New or empty directory, or one of a restore that was cut short, which goes on. */
  readonly dataPath: string;
  /** Finality in blocks, as the bridge counts it: 1 = a block is final as soon as it is mined. */
  readonly finalityDepthBlocks: number;
  readonly onBatch?: (batchNumber: number) => void;
  /** Snapshot to go on from; batches up to its own are then not in the directory. */
  readonly snapshot?: LedgerSnapshot | undefined;
}

export interface RestoreFromL1Result {
  /** L1 up to here is in the directory. */
  readonly blockNumber: number;
  readonly position: ChainPosition;
  readonly leafCount: number;
  /** Entries of the L1 queue that wait; the bridge hands them over. */
  readonly waitingCount: number;
}

/**
 * Restores. The directory is a full node's until all of it is there: no sequencer starts on one that was cut short.
 * @throws BRG_SNAPSHOT_INVALID; SEQ_WRONG_DIRECTORY, SEQ_TOO_EARLY, SEQ_STORE_*; BRG_BATCH_MALFORMED, BRG_BLOB_*,
 * BRG_VERIFY_DIFFERS, BRG_HISTORY_UNREADABLE, BRG_L1_*
 */
export async function restoreFromL1(options: RestoreFromL1Options): Promise<RestoreFromL1Result> {
  await initPoseidon();
  const { blobs, dataPath, deployedIn, finalityDepthBlocks, rollupAddress, rpcUrl } = options;
  const client = createPatientL1Client({ rpcUrl });
  const rollup = new RollupContract({ client, address: rollupAddress, blobs });
  const facts = await readFollowedRollup(rollup);
  const own: StoreRollup = { chainId: facts.chainId, rollupAddress, deployedIn };
  if (readStoreRecord(dataPath)?.kind === storeKindOf("sequencer")) throw holdsLedger(dataPath);
  const toBlock = await finalBlockOf(rollup, finalityDepthBlocks);
  const fill = { ...options, toBlock };
  await requireAllFinal(rollup, toBlock, finalityDepthBlocks);
  const log = await LedgerLog.open(dataPath, own, undefined, { owner: "full-node" });
  let restored: RestoreFromL1Result;
  try {
    const begun = await log.get<FollowMarker>(FOLLOW_MARKER);
    if (begun === undefined) await writeBeginning(log, rollup, fill, { isRestore: true });
    else if (begun.isRestore !== true || !(await isMarkerOnL1(log, rollup))) throw holdsLedger(dataPath);
    const followed = await FollowedLedger.open(log, facts);
    const history = await fillFromL1(followed, rollup, facts.circuits, fill);
    const { head, registry } = followed;
    const position = registry.positionAfter(registry.finalNumber);
    await log.write([unpromisedFrom(position.opIndex)]);
    const waitingCount = history.queue.nextEntry - position.queueHead;
    const { blockNumber } = await log.require<FollowMarker>(FOLLOW_MARKER);
    restored = { blockNumber, position, leafCount: head.ledger.leaves.size, waitingCount };
  } finally {
    await log.close();
  }
  await promoteDirectory(dataPath, own);
  return restored;
}

const holdsLedger = (dataPath: string) =>
  sequencerError("SEQ_WRONG_DIRECTORY", `the data directory ${dataPath} holds a ledger already`, {
    data: { reason: "store-not-empty", dataPath },
  });

/** @throws SEQ_TOO_EARLY where L1 has signed operations that are not final: their places would be given away again */
async function requireAllFinal(
  rollup: RollupContract,
  toBlock: bigint,
  finalityDepthBlocks: number,
): Promise<void> {
  const [final, newest] = await Promise.all([rollup.state({ blockNumber: toBlock }), rollup.state()]);
  if (final.opIndex === newest.opIndex) return;
  throw sequencerError(
    "SEQ_TOO_EARLY",
    `batch ${newest.batchNumber} is not final yet; try again ${finalityDepthBlocks} blocks after it`,
    {
      data: { reason: "restore-not-final", finalBatch: final.batchNumber, newestBatch: newest.batchNumber },
    },
  );
}
