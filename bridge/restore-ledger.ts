import type { Ledger } from "../circuits/ledger.ts";
import { blockReader } from "./block-reader.ts";
import { l1Call } from "./l1-client.ts";
import { type HistoryEvent, readL1History } from "./l1-history.ts";
import { LedgerReplay } from "./ledger-replay.ts";
import type { RegisteredCircuit, RollupContract, RollupState } from "./rollup-contract.ts";
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
  /** Each event once the ledger has taken it. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/**
 * The ledger as L1's records give it. Proofs are not verified again: the contract has taken them, and what it holds is
 * what counts for whoever builds on it. verifyRollup is for those who doubt it.
 * @throws BRG_VERIFY_DIFFERS, BRG_HISTORY_UNREADABLE, BRG_BATCH_NOT_IN_CALL, BRG_L1_*
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
  const source = readL1History({
    rollup,
    toBlock: blockNumber,
    ...(fromBlock === undefined ? {} : { fromBlock }),
  });
  for await (const event of source) {
    await replay.apply(event);
    onEvent?.(event);
  }
  const ledger = replay.requireLedger();
  const state = await rollup.state({ blockNumber });
  requireSame(null, "the root", ledger.root, state.root);
  requireSame(null, "the number of the last batch", replay.batchNumber, state.batchNumber);
  return { ledger, replay, registered, state, blockNumber };
}
