/** Expected state of the contract, computed from the calls: for the walks of the invariants' test. */
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { BINDING_REST_BITS, KIND, KIND_RULES } from "@openledger/circuits/protocol";
import type { SettlementData } from "@openledger/circuits/settlement/settlement-data";

/** Step of a walk as a call, as a transaction, and as a change of the model if it is accepted. */
export interface PreparedStep {
  readonly call: () => Promise<unknown>;
  readonly send: () => Promise<unknown>;
  readonly apply: () => Promise<void>;
}

export interface InvariantModel {
  root: bigint;
  isFrozen: boolean;
  /** Keys whose exits were accepted. */
  exited: Set<bigint>;
  ledgerWei: bigint;
  burnableWei: bigint;
  /** Credits in wei, by address. */
  pending: Map<bigint, bigint>;
  /** Entries from the head on, oldest first; those that were refunded keep their place, with a deposit of 0. */
  queue: {
    record: SlotRecord;
    depositWei: bigint;
    sender: bigint;
    timestamp: bigint;
    isRefunded: boolean;
  }[];
  head: number;
  batchNumber: number;
  opIndex: number;
  nextId: number;
  timestamp: bigint;
  /** L1 time and block of a batch's CloseEpochs, by batch number. */
  closes: Map<bigint, { blockNumber: bigint; timestamp: bigint }>;
  /** prevRandao, by batch number. */
  randomness: Map<bigint, bigint>;
  /** Settlements that wait for their records. */
  preVerified: { circuit: number; data: SettlementData; timestamp: bigint }[];
}

export function emptyModel(): InvariantModel {
  return {
    // The fixture's.
    root: 123n,
    isFrozen: false,
    exited: new Set(),
    ledgerWei: 0n,
    burnableWei: 0n,
    pending: new Map(),
    queue: [],
    head: 0,
    batchNumber: 0,
    opIndex: 0,
    nextId: 2,
    timestamp: 0n,
    closes: new Map(),
    randomness: new Map(),
    preVerified: [],
  };
}

export function credit(to: InvariantModel, owner: bigint, wei: bigint): void {
  if (wei > 0n) to.pending.set(owner, (to.pending.get(owner) ?? 0n) + wei);
}

/** Kinds that `force` queues. None of them pays anything in or out. */
export const FORCED_KINDS: readonly number[] = KIND_RULES.map(({ kind }) => kind).filter(
  (kind) => kind >= KIND.forcedPayInference,
);

/** An entry's record with L1's time, where L1 adds it. */
export function asQueued(record: SlotRecord, timestamp: bigint): SlotRecord {
  const { kind, words } = record;
  if (kind === KIND.forcedCloseEpoch) return { ...record, words: words.with(1, timestamp) };
  if (kind !== KIND.forcedApproveModel) return record;
  return { ...record, words: words.with(0, words[0]! | (timestamp << BigInt(BINDING_REST_BITS))) };
}

/**
 * Amount in wei that an executed entry pays out of the ledger. The word of that place is no amount for other
 * kinds.
 */
export const paidOutWei = ({ kind, words }: Pick<SlotRecord, "kind" | "words">): bigint =>
  kind === KIND.forcedWithdraw ? (words[4] ?? 0n) : 0n;
