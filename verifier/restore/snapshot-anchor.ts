/**
 * Check of a snapshot against L1: the contract has accepted a batch of this number that left exactly this
 * position. restore-ledger.ts requires it before it starts from a snapshot.
 */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { findEventBlock, type RollupLog, readRollupLogs } from "@openledger/bridge/l1/log-reader";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { readSubmission } from "@openledger/bridge/l1/submission/l1-submission";
import { fromBytesBe } from "@openledger/circuits/field/element-vector";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { hexToBytes, isAddressEqual } from "viem";
import {
  type LedgerSnapshot,
  requireConsistent,
  type SnapshotPosition,
  snapshotFalse,
} from "../replay/ledger-snapshot.ts";
import { requireWaiting } from "./snapshot-queue.ts";

export interface SnapshotAnchor {
  /** The block that took the snapshot's batch. */
  readonly blockNumber: number;
  readonly transactionHash: string;
}

/** Byte ranges of the timestamp and the next id in a batch's wire form (docs/reference/ledger.md). */
const WIRE_TIMESTAMP = [32, 37] as const;
const WIRE_NEXT_ID = [37, 41] as const;

/**
 * Checks a snapshot against itself and against L1 up to a block. The node is believed, as for everything read from it;
 * it need not have anything older than the block that took the snapshot's batch.
 * @returns also the snapshot's ledger, hashed
 * @throws BRG_SNAPSHOT_INVALID; BRG_HISTORY_INCOMPLETE, BRG_L1_*, BRG_BATCH_NOT_IN_CALL
 */
export async function requireAnchored(
  rollup: RollupContract,
  snapshot: LedgerSnapshot,
  toBlock: bigint,
): Promise<{ anchor: SnapshotAnchor; ledger: Ledger }> {
  const { blockNumber, chainId, position, rollupAddress } = snapshot;
  const { client } = rollup;
  const actualChainId = await l1Call("read the chain id", () => client.getChainId());
  if (chainId !== actualChainId || !isAddressEqual(rollupAddress, rollup.address))
    throw snapshotFalse(`it is of rollup ${rollupAddress} on chain ${chainId}`);
  const ledger = requireConsistent(snapshot);
  if (blockNumber > toBlock)
    throw snapshotFalse(`it is of block ${blockNumber}, and L1 was asked up to block ${toBlock}`);
  const at = BigInt(blockNumber);
  const { accepted, transactionHash } = await readPosition(rollup, position.batchNumber, at);
  for (const field of ["root", "nextId", "opIndex", "queueHead", "timestamp"] as const) {
    if (position[field] === accepted[field]) continue;
    throw snapshotFalse(
      `its ${field} is ${position[field]}, L1 accepted ${accepted[field]} with batch ${position.batchNumber}`,
    );
  }
  await requireWaiting(rollup, snapshot, toBlock);
  return { anchor: { blockNumber, transactionHash }, ledger };
}

/** The block that took a batch, null if none has; for making snapshots. */
export async function findBatchBlock(
  { address, client }: RollupContract,
  batchNumber: number,
  { fromBlock = 0n, toBlock }: { fromBlock?: bigint | undefined; toBlock: bigint },
): Promise<number | null> {
  const args = { batchNumber: BigInt(batchNumber) };
  const found = await findEventBlock("BatchAccepted", { address, client, args, fromBlock, toBlock });
  return found === null ? null : Number(found);
}

type AcceptedLog = RollupLog & { eventName: "BatchAccepted" };

const isBatch = (log: RollupLog, batchNumber: number): log is AcceptedLog =>
  log.eventName === "BatchAccepted" && Number(log.args.batchNumber) === batchNumber;

async function readPosition(
  { address, client }: RollupContract,
  batchNumber: number,
  blockNumber: bigint,
): Promise<{ accepted: SnapshotPosition; transactionHash: string }> {
  const range = { fromBlock: blockNumber, toBlock: blockNumber };
  for await (const { logs } of readRollupLogs({ client, address, ...range, maxChunkBlocks: 1 })) {
    // Some nodes answer with an empty list for blocks that they do not keep, so an empty list shows nothing.
    if (logs.length === 0) {
      throw bridgeError(
        "BRG_HISTORY_INCOMPLETE",
        `the Ethereum node has no event of the rollup in block ${blockNumber}, which is to have taken the snapshot's batch ${batchNumber}: it does not keep that block's events, or the snapshot names a false one`,
        { data: { batchNumber, blockNumber: Number(blockNumber) } },
      );
    }
    const log = logs.find((one): one is AcceptedLog => isBatch(one, batchNumber));
    if (log === undefined) continue;
    const { batches } = await readSubmission(client, log, logs);
    const wire = hexToBytes(batches.get(log.args.batchNumber)!.data);
    const { newRoot: root, opIndex, queueHead } = log.args;
    const accepted = {
      batchNumber,
      root,
      opIndex,
      queueHead,
      nextId: Number(fromBytesBe(wire.slice(...WIRE_NEXT_ID))),
      timestamp: fromBytesBe(wire.slice(...WIRE_TIMESTAMP)),
    };
    return { accepted, transactionHash: log.transactionHash };
  }
  throw snapshotFalse(`L1's block ${blockNumber} has not taken batch ${batchNumber}`);
}
