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
import { genesisWrites } from "../../batches/restore.ts";
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

/**
 * The block that is final by now, which has the contract.
 * @param finalityDepthBlocks 1: a block is final as soon as it is mined
 * @throws SEQ_TOO_EARLY where it has no contract, as on a young chain; BRG_L1_*
 */
export async function finalBlockOf(
  { address, client }: RollupContract,
  finalityDepthBlocks: number,
): Promise<bigint> {
  const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
  const blockNumber = head - BigInt(finalityDepthBlocks) + 1n;
  const code =
    blockNumber < 0n
      ? undefined
      : await l1Call("read the contract's code", () => client.getCode({ address, blockNumber }));
  if (code !== undefined && code !== "0x") return blockNumber;
  throw sequencerError(
    "SEQ_TOO_EARLY",
    `there is no contract ${address} that is ${finalityDepthBlocks} blocks deep; check the address, or try again later`,
    { data: { reason: "restore-not-final", finalBlock: Number(blockNumber) } },
  );
}

/**
 * Writes a ledger's beginning, the genesis or a snapshot that L1 bears out, into an empty directory, in one atomic write.
 * @throws BRG_SNAPSHOT_INVALID; BRG_HISTORY_INCOMPLETE, BRG_HISTORY_UNREADABLE, BRG_L1_*; SRV_STORE_*
 */
export async function writeBeginning(
  log: LedgerLog,
  rollup: RollupContract,
  options: FillOptions,
  marker: Pick<FollowMarker, "isRestore"> = {},
): Promise<void> {
  const { snapshot, toBlock } = options;
  const { blockHash, blockNumber, writes } =
    snapshot === undefined
      ? await readGenesis(rollup, options)
      : await snapshotWrites(log, rollup, snapshot, toBlock);
  const value: FollowMarker = { ...marker, blockNumber, blockHash };
  await log.write([...writes, { key: FOLLOW_MARKER, value }]);
}

/** Writes of a beginning, and L1's block that has it. */
interface Beginning extends Pick<FollowMarker, "blockHash" | "blockNumber"> {
  readonly writes: readonly StoreWrite[];
}

async function readGenesis(rollup: RollupContract, options: FillOptions): Promise<Beginning> {
  const { address, client } = rollup;
  const { toBlock } = options;
  const fromBlock = options.fromBlock ?? (await findDeploymentBlock(rollup, toBlock));
  for await (const [event] of readRollupEvents("GenesisSet", { address, client, fromBlock, toBlock })) {
    if (event === undefined) continue;
    const { args, blockHash, blockNumber } = event;
    const { genesisRoot, operatorKeyX } = args;
    const [treasuryOwner, operatorOwner] = [BigInt(args.treasuryOwner), BigInt(args.operatorOwner)];
    const { writes } = genesisWrites({
      genesis: { treasuryOwner, operatorOwner, operatorKeyX },
      genesisRoot,
    });
    return { blockHash, blockNumber: Number(blockNumber), writes };
  }
  throw withoutBeginning();
}

async function snapshotWrites(
  log: LedgerLog,
  rollup: RollupContract,
  snapshot: LedgerSnapshot,
  toBlock: bigint,
): Promise<Beginning> {
  const { ledger } = await requireAnchored(rollup, snapshot, toBlock);
  const closes: EpochCloseOnL1[] = [];
  for (const batchNumber of openCloses(snapshot))
    closes.push({ ...(await readClose(rollup, batchNumber, toBlock)), isMissed: false });
  const { blockNumber, position, waiting } = snapshot;
  const final: ChainPosition = { ...position, sequence: -1 };
  const writes = [
    ...(await log.leafWrites(ledger)),
    ...epochWrites(snapshot, ledger),
    ...closes.map((close) => ({ key: storeKeys.epochCloseOnL1(close.batchNumber), value: close })),
    ...waiting.map((entry) => ({ key: storeKeys.queueEntry(entry.queueIndex), value: waitingEntry(entry) })),
    { key: storeKeys.finalPosition, value: final },
  ];
  return { blockHash: await l1BlockHash(rollup, BigInt(blockNumber)), blockNumber, writes };
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
