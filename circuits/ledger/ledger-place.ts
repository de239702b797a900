/** How far a ledger is after a batch, as L1's contract, the bridge and the sequencer all know it. */
export interface LedgerPlace {
  readonly batchNumber: number;
  readonly root: bigint;
  /** Signed operations so far. */
  readonly opIndex: number;
  /** Queue entries taken so far. */
  readonly queueHead: number;
}

/** Root, signed operations and queue say what the ledger is; invalid queue entries change nothing but the last. */
export function isSamePlace(one: LedgerPlace, other: LedgerPlace): boolean {
  return (
    one.batchNumber === other.batchNumber &&
    one.root === other.root &&
    one.opIndex === other.opIndex &&
    one.queueHead === other.queueHead
  );
}
