/**
 * Makes the directory of a ledger from L1: its beginning, the genesis or a snapshot, then every final batch (final-history.ts).
 * One that was cut short goes on at the next call. A new full node and a sequencer that is restored begin so.
 */
import { findDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { withoutBeginning } from "@openledger/bridge/l1/l1-history";
import { readRollupEvents } from "@openledger/bridge/l1/log-reader";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { openCloses, readClose } from "@openledger/verifier/restore/restore-ledger";
import { requireAnchored } from "@openledger/verifier/restore/snapshot-anchor";
import type { EpochCloseOnL1 } from "../../batches/from-l1/epoch-close-on-l1.ts";
import { waitingEntry } from "../../batches/from-l1/queue-entry.ts";
import { writeGenesis } from "../../batches/restore.ts";
import {
  NO_OPERATION_HASH,
  type StoredEpoch,
  type StoredPayment,
} from "../../batches/settling/stored-epochs.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import { FOLLOW_MARKER, type FollowMarker, l1BlockHash } from "../../store/follow-marker.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";
import type { ChainPosition } from "../../store/log-entry.ts";
import { type StoreWrite, storeKeys } from "../../store/store-keys.ts";
import { FinalHistory } from "../final-history.ts";
import type { FollowedLedger } from "../followed-ledger.ts";

export interface FillOptions {
  /** Last block that is read: final. */
  readonly toBlock: bigint;
  /** Block of the rollup's deployment, where it is known; else it is searched for. */
  readonly fromBlock?: bigint | undefined;
  /** Start instead of the genesis: batches up to its own are then not in the directory. */
  readonly snapshot?: LedgerSnapshot | undefined;
  readonly onBatch?: ((batchNumber: number) => void) | undefined;
}

/** Blocks of one request for logs. */
const MAX_CHUNK_BLOCKS = 10_000;

/** Writes a ledger's beginning into a directory without one. */
export type WriteBeginning = (log: LedgerLog, marker: Pick<FollowMarker, "isRestore">) => Promise<void>;

/** The block that is final by now. @param finalityDepthBlocks 1: a block is final as soon as it is mined */
export async function finalBlockOf({ client }: RollupContract, finalityDepthBlocks: number): Promise<bigint> {
  const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
  return head - BigInt(finalityDepthBlocks) + 1n;
}

/**
 * Reads a ledger's beginning, and checks it against L1 before anything is written.
 * @throws SEQ_TOO_EARLY where the contract is not final; BRG_SNAPSHOT_INVALID; BRG_HISTORY_INCOMPLETE, BRG_HISTORY_UNREADABLE,
 * BRG_L1_*
 */
export async function readBeginning(rollup: RollupContract, options: FillOptions): Promise<WriteBeginning> {
  const { fromBlock, snapshot, toBlock } = options;
  await requireContractAt(rollup, toBlock);
  return snapshot === undefined
    ? readGenesis(rollup, fromBlock ?? (await findDeploymentBlock(rollup, toBlock)), toBlock)
    : readSnapshotStart(rollup, snapshot, toBlock);
}

/** Requires that the contract exists at a block: on a young chain it may not be final yet. @throws SEQ_TOO_EARLY */
async function requireContractAt({ address, client }: RollupContract, blockNumber: bigint): Promise<void> {
  const code =
    blockNumber < 0n
      ? undefined
      : await l1Call("read the contract's code", () => client.getCode({ address, blockNumber }));
  if (code !== undefined && code !== "0x") return;
  throw sequencerError(
    "SEQ_TOO_EARLY",
    `there is no contract ${address} in the last final block, ${blockNumber}; check the address, or try again later`,
    { data: { reason: "restore-not-final", finalBlock: Number(blockNumber) } },
  );
}

async function readGenesis(
  rollup: RollupContract,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<WriteBeginning> {
  const { address, client } = rollup;
  for await (const [event] of readRollupEvents("GenesisSet", { address, client, fromBlock, toBlock })) {
    if (event === undefined) continue;
    const { genesisRoot, operatorKeyX, operatorOwner, treasuryOwner } = event.args;
    const owners = { treasuryOwner: BigInt(treasuryOwner), operatorOwner: BigInt(operatorOwner) };
    const { blockHash, blockNumber } = event;
    return async (log, marker) => {
      const value: FollowMarker = { ...marker, blockNumber: Number(blockNumber), blockHash };
      // Of one turn, so of one atomic write.
      void log.write([{ key: FOLLOW_MARKER, value }]);
      await writeGenesis(log, { genesis: { ...owners, operatorKeyX }, genesisRoot });
    };
  }
  throw withoutBeginning();
}

async function readSnapshotStart(
  rollup: RollupContract,
  snapshot: LedgerSnapshot,
  toBlock: bigint,
): Promise<WriteBeginning> {
  const { ledger } = await requireAnchored(rollup, snapshot, toBlock);
  const closes: EpochCloseOnL1[] = [];
  for (const batchNumber of openCloses(snapshot))
    closes.push({ ...(await readClose(rollup, batchNumber, toBlock)), isMissed: false });
  const { blockNumber, position, waiting } = snapshot;
  const blockHash = await l1BlockHash(rollup, BigInt(blockNumber));
  const final: ChainPosition = { ...position, sequence: -1 };
  return async (log, marker) => {
    const value: FollowMarker = { ...marker, blockNumber, blockHash };
    await log.write([
      ...(await log.leafWrites(ledger)),
      ...epochWrites(snapshot, ledger),
      ...closes.map((close) => ({ key: storeKeys.epochCloseOnL1(close.batchNumber), value: close })),
      ...waiting.map((entry) => ({
        key: storeKeys.queueEntry(entry.queueIndex),
        value: waitingEntry(entry),
      })),
      { key: storeKeys.finalPosition, value: final },
      { key: FOLLOW_MARKER, value },
    ]);
  };
}

/** Payments and closes that a settler needs: of every model's open epoch and of the one that waits for its settlement. */
function epochWrites({ epochs }: LedgerSnapshot, ledger: Ledger): StoreWrite[] {
  const writes: StoreWrite[] = [];
  for (const [modelId, { closed, open }] of epochs) {
    for (const { epoch, payments } of closed === null ? [open] : [closed, open])
      for (const [i, payment] of payments.entries()) {
        const value: StoredPayment = { hash: NO_OPERATION_HASH, ...payment };
        writes.push({ key: storeKeys.payment(modelId, epoch, i), value });
      }
    if (closed === null) continue;
    const { model, rewards } = ledger.requireLeaf(modelId);
    const { amountWei, chain } = rewards!.closed!;
    const { closingBatch, epoch, payments } = closed;
    const facts = { modelId, epoch, closingBatch, chain, amountWei, paymentCount: payments.length };
    const value: StoredEpoch = { ...facts, closed: model!.closed, hash: NO_OPERATION_HASH };
    writes.push({ key: storeKeys.epoch(modelId, epoch), value });
  }
  return writes;
}

/**
 * Reads final batches into a directory that has its beginning.
 * @throws BRG_BATCH_MALFORMED, and the directory has the batches before it; BRG_VERIFY_DIFFERS, BRG_BLOB_*, BRG_HISTORY_*, BRG_L1_*
 */
export async function fillFromL1(
  followed: FollowedLedger,
  rollup: RollupContract,
  registered: readonly RegisteredCircuit[],
  { onBatch, toBlock }: Pick<FillOptions, "onBatch" | "toBlock">,
): Promise<FinalHistory> {
  const history = new FinalHistory({
    rollup,
    registered,
    followed,
    maxChunkBlocks: MAX_CHUNK_BLOCKS,
    onBatch: ({ number }) => onBatch?.(number),
  });
  await history.readTo(toBlock);
  await history.noteMissed(Number(toBlock));
  return history;
}
