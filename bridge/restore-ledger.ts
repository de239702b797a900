import type { Ledger } from "../circuits/ledger.ts";
import { blockReader } from "./block-reader.ts";
import { l1Call } from "./l1-client.ts";
import { type HistoryEvent, readL1History } from "./l1-history.ts";
import { LedgerReplay } from "./ledger-replay.ts";
import type { LedgerSnapshot } from "./ledger-snapshot.ts";
import type { RegisteredCircuit, RollupContract, RollupState } from "./rollup-contract.ts";
import { requireAnchored } from "./snapshot-anchor.ts";
import { requireSame } from "./verify-error.ts";

export interface RestoredLedger {
  readonly ledger: Ledger;
  readonly replay: LedgerReplay;
  readonly registered: readonly RegisteredCircuit[];
  /** The contract's, at the same block. */
  readonly state: RollupState;
  readonly blockNumber: bigint;
}

export interface RestoreLedgerOptions {
  /** The rollup's own block, where it is known; else it is searched for. */
  readonly fromBlock?: bigint | undefined;
  /** The newest by default. */
  readonly toBlock?: bigint;
  /** Goes on from here instead of from the genesis; checked against itself and L1 first. */
  readonly snapshot?: LedgerSnapshot | undefined;
  /** Each event once the ledger has taken it. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/**
 * The ledger as L1's records give it. Proofs are not verified again: the contract has taken them, and what it holds is
 * what counts for whoever builds on it. verifyRollup is for those who doubt it. With a snapshot, batches up to its own are
 * neither read nor executed; the queue's entries and the Seals are.
 * @throws BRG_SNAPSHOT_FALSE; BRG_VERIFY_DIFFERS, BRG_HISTORY_UNREADABLE, BRG_BATCH_NOT_IN_CALL, BRG_L1_*
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
  const replay = new LedgerReplay(registered, () => true, blockReader(client));
  if (options.snapshot !== undefined) {
    const range = { fromBlock, toBlock: blockNumber };
    const { ledger } = await requireAnchored(rollup, options.snapshot, range);
    replay.seed(options.snapshot, ledger);
  }
  const seals = options.snapshot === undefined ? null : openSeals(options.snapshot);
  const source = readL1History({
    rollup,
    toBlock: blockNumber,
    ...(fromBlock === undefined ? {} : { fromBlock }),
    ...(options.snapshot === undefined ? {} : { after: options.snapshot.position }),
  });
  for await (const event of source) {
    if (seals !== null && isBehind(event, options.snapshot!, seals)) continue;
    await replay.apply(event);
    onEvent?.(event);
  }
  const ledger = replay.requireLedger();
  const state = await rollup.state({ blockNumber });
  requireSame(null, "the root", ledger.root, state.root);
  requireSame(null, "the number of the last batch", replay.batchNumber, state.batchNumber);
  return { ledger, replay, registered, state, blockNumber };
}

/** Batches with Seals whose epochs wait for their settlement. */
function openSeals({ epochs }: LedgerSnapshot): ReadonlySet<number> {
  return new Set([...epochs.values()].flatMap(({ sealed }) => (sealed === null ? [] : [sealed.sealBatch])));
}

/** What the snapshot stands for: the genesis, and randomness that nothing waits for, each a block to read. */
function isBehind(event: HistoryEvent, snapshot: LedgerSnapshot, seals: ReadonlySet<number>): boolean {
  if (event.type === "genesis") return true;
  if (event.type !== "randomness") return false;
  return event.batchNumber <= snapshot.position.batchNumber && !seals.has(event.batchNumber);
}
