/** What the contract should hold, kept by adding up what was asked of it: for the walks of the invariants' test. */
import type { SlotRecord } from "../circuits/batch-data.ts";

export interface InvariantModel {
  ledgerWei: bigint;
  burnableWei: bigint;
  /** By address. */
  pending: Map<bigint, bigint>;
  /** Waiting entries, oldest first. */
  queue: { record: SlotRecord; depositWei: bigint; sender: bigint; timestamp: bigint }[];
  head: number;
  batchNumber: number;
  opIndex: number;
  nextId: number;
  timestamp: bigint;
  /** By batch number: when and in which block L1 took its Seals. */
  seals: Map<bigint, { blockNumber: bigint; timestamp: bigint }>;
  /** By batch number: prevRandao. */
  randomness: Map<bigint, bigint>;
}

export function emptyModel(): InvariantModel {
  return {
    ledgerWei: 0n,
    burnableWei: 0n,
    pending: new Map(),
    queue: [],
    head: 0,
    batchNumber: 0,
    opIndex: 0,
    nextId: 2,
    timestamp: 0n,
    seals: new Map(),
    randomness: new Map(),
  };
}

export function credit(to: InvariantModel, owner: bigint, wei: bigint): void {
  if (wei > 0n) to.pending.set(owner, (to.pending.get(owner) ?? 0n) + wei);
}
