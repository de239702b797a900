/**
 * Rebuilds the ledger from L1 alone, from the genesis or from a snapshot that L1 vouches for: for exits, restores of a
 * sequencer, and checks of one leaf. Proofs are not verified again; verify.ts does.
 */
import { l1Call } from "@openledger/bridge/l1/l1-client";
import type { HistoryEvent } from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit, RollupContract, RollupState } from "@openledger/bridge/l1/rollup-contract";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { blockReader } from "../replay/block-reader.ts";
import { LedgerReplay, type ReplayStart, replayL1 } from "../replay/ledger-replay.ts";
import type { LedgerSnapshot } from "../replay/ledger-snapshot.ts";
import type { KnownClose } from "../replay/settlement-replay.ts";
import { requireSame } from "../replay/verify-error.ts";
import { requireAnchored } from "./snapshot-anchor.ts";

/** A restored ledger, and L1's state at its block. */
export interface RestoredLedger {
  readonly ledger: Ledger;
  readonly replay: LedgerReplay;
  readonly registered: readonly RegisteredCircuit[];
  /** The contract's, at the same block. */
  readonly state: RollupState;
  readonly blockNumber: bigint;
}

interface RestoreLedgerOptions {
  /** Block of the rollup's deployment. Default: it is searched for. Not needed with a snapshot. */
  readonly fromBlock?: bigint | undefined;
  /** The newest by default. */
  readonly toBlock?: bigint;
  /** Start of the replay instead of the genesis; checked against itself and L1 first. */
  readonly snapshot?: LedgerSnapshot | undefined;
  /** Handler of malformed batches, as in LedgerReplay. Without one such a batch is an error. */
  readonly onMalformed?: ((error: RollupError) => void) | undefined;
  /** Called with each event after the ledger has applied it. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/**
 * Restores the ledger from L1's records. Proofs are not verified again: the contract has accepted them, and
 * its state counts for everyone who builds on it. Use verifyRollup to verify them. With a snapshot, no block
 * before its batch's block is read: waiting entries are in the snapshot, and CloseEpochs in the contract's
 * state.
 * @throws BRG_BATCH_MALFORMED; BRG_SNAPSHOT_INVALID; BRG_HISTORY_INCOMPLETE, BRG_VERIFY_DIFFERS,
 * BRG_HISTORY_UNREADABLE, BRG_BATCH_NOT_IN_CALL, BRG_L1_*
 */
export async function restoreLedger(
  rollup: RollupContract,
  options: RestoreLedgerOptions = {},
): Promise<RestoredLedger> {
  const { client } = rollup;
  const { fromBlock, onEvent } = options;
  const blockNumber =
    options.toBlock ?? (await l1Call("read the newest block's number", () => client.getBlockNumber()));
  const registered = await rollup.circuits();
  const replay = new LedgerReplay(registered, () => true, blockReader(client), options.onMalformed);
  const start = options.snapshot && startFrom(options.snapshot);
  await replayL1(rollup, replay, { toBlock: blockNumber, fromBlock, start, onEvent });
  const ledger = replay.requireLedger();
  const state = await rollup.state({ blockNumber });
  requireSame(null, "the root", ledger.root, state.root);
  requireSame(null, "the number of the last batch", replay.batchNumber, state.batchNumber);
  requireSame(null, "the queue's tail", replay.entries.length, await rollup.queueTail({ blockNumber }));
  return { ledger, replay, registered, state, blockNumber };
}

/**
 * Starts a replay from a snapshot, once that is checked against itself and L1; `verifyRollup` takes it, too.
 * @throws BRG_SNAPSHOT_INVALID, BRG_L1_*
 */
export const startFrom =
  (snapshot: LedgerSnapshot): ReplayStart =>
  async (rollup, replay, blockNumber) => {
    const closes = openCloses(snapshot);
    const { ledger } = await requireAnchored(rollup, snapshot, blockNumber);
    replay.seed(snapshot, ledger);
    for (const batchNumber of closes)
      replay.settlements.seedClose(await readClose(rollup, batchNumber, blockNumber));
    const known = {
      nextEntry: () => replay.entries.length,
      hasCloses: (batchNumber: number) => replay.settlements.closingBlock(batchNumber) !== undefined,
      isFrozen: () => replay.isFrozen,
    };
    return {
      range: { after: { ...snapshot.position, known }, fromBlock: BigInt(snapshot.blockNumber) },
      isBehind: (event) => isBehind(event, snapshot, closes),
    };
  };

/** Batches with CloseEpochs whose epochs wait for their settlement. */
export function openCloses({ epochs }: LedgerSnapshot): ReadonlySet<number> {
  return new Set(
    [...epochs.values()].flatMap(({ closed }) => (closed === null ? [] : [closed.closingBatch])),
  );
}

/**
 * Reads the CloseEpochs of a batch before the snapshot from the contract's state: their events may be older than the
 * range read.
 */
export async function readClose(
  rollup: RollupContract,
  batchNumber: number,
  blockNumber: bigint,
): Promise<KnownClose> {
  const [closed, prevRandao] = await Promise.all([
    rollup.closedAt(batchNumber, { blockNumber }),
    rollup.randomness(batchNumber, { blockNumber }),
  ]);
  return { batchNumber, ...closed, prevRandao: prevRandao === 0n ? null : prevRandao };
}

/**
 * True for events that the snapshot covers, as far as its own block has them, and for randomness that nothing
 * waits for: each would cost a block to read.
 */
function isBehind(event: HistoryEvent, { position }: LedgerSnapshot, closes: ReadonlySet<number>): boolean {
  switch (event.type) {
    case "genesis":
      return true;
    case "queue-entry":
      return event.queueIndex < position.queueHead;
    case "closeEpoch":
      return event.batchNumber <= position.batchNumber;
    case "randomness":
      return event.batchNumber <= position.batchNumber && !closes.has(event.batchNumber);
    default:
      return false;
  }
}
