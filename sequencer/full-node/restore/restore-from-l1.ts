/**
 * Makes a sequencer's data directory from L1 alone, as of the last final block. The following is lost:
 * operations that were acknowledged and never posted, preconfirmations, hashes of operations, proofs, and the
 * records of settled epochs. `openledger restore --from-l1` calls it.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { DeploymentBlock } from "@openledger/foundation/store/store-identity";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { type RestoredLedger, restoreLedger } from "@openledger/verifier/restore/restore-ledger";
import type { Address } from "viem";
import type { EpochCloseOnL1 } from "../../batches/from-l1/epoch-close-on-l1.ts";
import {
  NO_OPERATION_HASH,
  type StoredEpoch,
  type StoredPayment,
} from "../../batches/settling/stored-epochs.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import { postedQueueWrites } from "../../store/executed-queue.ts";
import { FOLLOW_MARKER, type FollowMarker } from "../../store/follow-marker.ts";
import { LedgerLog } from "../../store/ledger-log.ts";
import type { ChainPosition, StoredQueueEntry } from "../../store/log-entry.ts";
import { type StoreWrite, storeKeys } from "../../store/store-keys.ts";
import { recordOf, type StoredBatch } from "../../store/stored-batch.ts";
import { unpromisedFrom } from "../../store/unpromised-places.ts";

export interface RestoreFromL1Options {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Block of the rollup's deployment, where it is known; else it is searched for. */
  readonly fromBlock?: bigint | undefined;
  /** That block, for the record of the directory; absent: the process that takes the directory names it. */
  readonly deployedIn?: DeploymentBlock | null | undefined;
  /** Source of the blobs of its batches; absent: blobs are not read. */
  readonly blobs?: BlobSource | undefined;
  /** New or empty directory. */
  readonly dataPath: string;
  /** Finality in blocks, as the bridge counts it: 1 = a block is final as soon as it is mined. */
  readonly finalityDepthBlocks: number;
  readonly onBatch?: (batchNumber: number) => void;
  /** Snapshot to go on from; batches up to its own are then not in the directory. */
  readonly snapshot?: LedgerSnapshot | undefined;
  /** Last block that is read. */
  readonly lastBlock?: number | undefined;
  /**
   * Makes a full node's directory, which says up to where L1 is in it. It loses nothing: what is not final yet comes
   * later.
   */
  readonly followMarker?: boolean;
}

export interface RestoreFromL1Result {
  /** L1 up to here is in the directory. */
  readonly blockNumber: number;
  readonly position: ChainPosition;
  readonly leafCount: number;
  /** Entries of the L1 queue that wait; the bridge hands them over. */
  readonly waitingCount: number;
}

/** Stands for no entry of the log: the next entry is the first. */
const NO_SEQUENCE = -1;

/** Requires that the contract exists at a block: on a young chain it may not be final yet. @throws SEQ_TOO_EARLY */
async function requireContractAt(
  { address, client }: RollupContract,
  blockNumber: bigint,
  finalityDepthBlocks: number,
): Promise<void> {
  const code =
    blockNumber < 0n
      ? undefined
      : await l1Call("read the contract's code", () => client.getCode({ address, blockNumber }));
  if (code !== undefined && code !== "0x") return;
  throw sequencerError(
    "SEQ_TOO_EARLY",
    `there is no contract ${address} that is ${finalityDepthBlocks} blocks deep; check the address, or try again later`,
    { data: { reason: "restore-not-final", finalBlock: Number(blockNumber) } },
  );
}

/**
 * Restores in one atomic write: one that was cut short leaves an empty directory.
 * @throws BRG_SNAPSHOT_INVALID; SEQ_WRONG_DIRECTORY, SEQ_TOO_EARLY, SEQ_STORE_*; BRG_BATCH_MALFORMED, BRG_BLOB_*,
 * BRG_VERIFY_DIFFERS, BRG_HISTORY_UNREADABLE, BRG_L1_*
 */
export async function restoreFromL1(options: RestoreFromL1Options): Promise<RestoreFromL1Result> {
  await initPoseidon();
  const { dataPath, finalityDepthBlocks, fromBlock, onBatch, rollupAddress, rpcUrl } = options;
  const client = createPatientL1Client({ rpcUrl });
  const rollup = new RollupContract({ client, address: rollupAddress, blobs: options.blobs });
  const chainId = await l1Call("read the chain id", () => client.getChainId());
  const owner = options.followMarker === true ? "full-node" : "sequencer";
  const { deployedIn } = options;
  const log = await LedgerLog.open(dataPath, { chainId, rollupAddress, deployedIn }, undefined, { owner });
  try {
    if ((await log.finalPosition()) !== undefined) {
      throw sequencerError("SEQ_WRONG_DIRECTORY", `the data directory ${dataPath} holds a ledger already`, {
        data: { reason: "store-not-empty", dataPath },
      });
    }
    const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
    const finalBlock = head - BigInt(finalityDepthBlocks) + 1n;
    const lastBlock = BigInt(options.lastBlock ?? finalBlock);
    const toBlock = lastBlock < finalBlock ? lastBlock : finalBlock;
    await requireContractAt(rollup, toBlock, finalityDepthBlocks);
    const [final, newest] = await Promise.all([
      rollup.state({ blockNumber: toBlock }),
      rollup.state({ blockNumber: head }),
    ]);
    if (final.opIndex !== newest.opIndex && options.followMarker !== true) {
      throw sequencerError(
        "SEQ_TOO_EARLY",
        `batch ${newest.batchNumber} is not final yet; try again ${finalityDepthBlocks} blocks after it`,
        {
          data: {
            reason: "restore-not-final",
            finalBatch: final.batchNumber,
            newestBatch: newest.batchNumber,
          },
        },
      );
    }
    const events: BatchEvent[] = [];
    const restored = await restoreLedger(rollup, {
      fromBlock,
      toBlock,
      snapshot: options.snapshot,
      onEvent: (event) => {
        if (event.type !== "batch") return;
        events.push(event);
        onBatch?.(Number(event.batch.batchNumber));
      },
    });
    const records = events.map((event) => batchRecord(event, restored, Date.now()));
    const { ledger, state } = restored;
    const position: ChainPosition = {
      batchNumber: state.batchNumber,
      root: ledger.root,
      nextId: ledger.nextId,
      opIndex: state.opIndex,
      queueHead: state.queueHead,
      timestamp: BigInt(state.timestamp),
      sequence: NO_SEQUENCE,
    };
    await log.write([
      ...(await log.leafWrites(ledger)),
      ...records.map((value) => ({ key: storeKeys.batch(value.number), value })),
      ...queueWrites(records, restored, options.snapshot?.position.queueHead ?? 0),
      ...(await epochWrites(ledger, restored)),
      { key: storeKeys.finalPosition, value: position },
      ...(options.followMarker === true ? [] : [unpromisedFrom(state.opIndex)]),
      ...(options.followMarker === true ? await markerWrites(rollup, restored) : []),
    ]);
    const waitingCount = restored.replay.entries.length - state.queueHead;
    return { blockNumber: Number(toBlock), position, leafCount: ledger.leaves.size, waitingCount };
  } finally {
    await log.close();
  }
}

function batchRecord(event: BatchEvent, { registered }: RestoredLedger, nowMs: number): StoredBatch {
  const { batch, blockNumber, circuitIndex, commitment, l1TransactionHash, opIndex, queueHead } = event;
  const position: ChainPosition = {
    batchNumber: Number(batch.batchNumber),
    root: batch.newRoot,
    nextId: batch.newNextId,
    opIndex,
    queueHead,
    timestamp: batch.timestamp,
    sequence: NO_SEQUENCE,
  };
  const times = { openedAtMs: nowMs, closedAtMs: nowMs, firstSequence: NO_SEQUENCE, rebuildCount: 0 };
  const { circuitId } = registered[circuitIndex]!;
  return {
    ...recordOf(
      { data: batch },
      { circuitId, commitment, position, posted: event, settlements: [], ...times },
    ),
    status: "final",
    l1: { transactionHash: l1TransactionHash, blockNumber, gasUsed: null },
    postedAtMs: nowMs,
  };
}

/** The entries that batches have taken; those that wait come from the bridge. */
function queueWrites(
  batches: readonly StoredBatch[],
  { replay }: RestoredLedger,
  firstIndex: number,
): StoreWrite[] {
  let queueHead = firstIndex;
  return batches.flatMap((batch) => {
    const before = queueHead;
    queueHead = batch.position.queueHead;
    return postedQueueWrites(batch, before, (index) => queuedRecord(replay.entries[index]!));
  });
}

const queuedRecord = ({
  burnedFeeWei: _burnedFeeWei,
  sender,
  type: _type,
  ...rest
}: RestoredLedger["replay"]["entries"][number]): StoredQueueEntry => ({
  ...rest,
  sender: BigInt(sender),
  status: "queued",
  batchNumber: null,
});

/**
 * Payments and closes that a settler needs: of every model's open epoch and of the one that waits for its settlement.
 */
async function epochWrites(ledger: Ledger, { replay }: RestoredLedger): Promise<StoreWrite[]> {
  const writes: StoreWrite[] = [];
  const closes = new Map<number, EpochCloseOnL1>();
  for (const [modelId, { model, rewards }] of ledger.leaves.withMore()) {
    const epochs = [replay.payments.open(modelId), replay.payments.closed(modelId)];
    for (const epoch of epochs) {
      for (const [i, payment] of (epoch?.payments ?? []).entries()) {
        const value: StoredPayment = { hash: NO_OPERATION_HASH, ...payment };
        writes.push({ key: storeKeys.payment(modelId, epoch!.epoch, i), value });
      }
    }
    const closed = rewards?.closed ?? null;
    if (model === undefined || closed === null) continue;
    const [epoch, closingBatch] = [Number(closed.epoch), Number(closed.closingBatch)];
    const { amountWei, chain } = closed;
    const value: StoredEpoch = {
      modelId,
      epoch,
      closingBatch,
      chain,
      amountWei,
      paymentCount: replay.payments.closed(modelId)!.payments.length,
      closed: model.closed,
      hash: NO_OPERATION_HASH,
    };
    writes.push({ key: storeKeys.epoch(modelId, epoch), value });
    closes.set(closingBatch, {
      batchNumber: closingBatch,
      blockNumber: replay.settlements.closingBlock(closingBatch)!,
      timestamp: Number(await replay.settlements.closingTime(closingBatch)),
      prevRandao: replay.settlements.recordedRandomness(closingBatch) ?? null,
      isMissed: false,
    });
  }
  for (const [number, value] of closes) writes.push({ key: storeKeys.epochCloseOnL1(number), value });
  return writes;
}

/** Marker of a full node's directory, with the queue's entries that wait: nobody hands them over to a full node. */
async function markerWrites(
  { client }: RollupContract,
  { blockNumber, replay, state }: RestoredLedger,
): Promise<StoreWrite[]> {
  const block = await l1Call(`read block ${blockNumber}`, () => client.getBlock({ blockNumber }));
  const value: FollowMarker = {
    blockNumber: Number(blockNumber),
    blockHash: block.hash,
    isFrozen: replay.isFrozen,
  };
  const waiting = replay.entries.slice(state.queueHead).map((entry): StoreWrite => {
    return { key: storeKeys.queueEntry(entry.queueIndex), value: queuedRecord(entry) };
  });
  return [{ key: FOLLOW_MARKER, value }, ...waiting];
}
