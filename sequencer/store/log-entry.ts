/**
 * Entries of the sequencer's log (ledger-log.ts), the durable order of everything executed, from which a
 * restart rebuilds ledger and batches. Amounts are wei; `timestamp` and `…Seconds` are Unix seconds, `…Ms`
 * milliseconds.
 */
import type { SettlementOperation } from "@openledger/circuits/batch/settlement-operation";
import type { QueueOperation, SignedOperation } from "@openledger/circuits/ledger/operation";
import { kindRule } from "@openledger/circuits/protocol";
import type { SettlementPosting } from "./settlement-posting.ts";

/** Terms of an open batch, beyond those that follow from the ledger. */
export interface BatchTerms {
  readonly timestamp: bigint;
  readonly feePerUnitWei: bigint;
  readonly feeAccountId: number;
}

/** A batch that was opened, with its terms. */
export interface OpenedEntry extends BatchTerms {
  readonly type: "opened";
  readonly batchNumber: number;
  readonly openedAtMs: number;
}

/** A signed operation that was executed, and so acknowledged. */
export interface OperationEntry {
  readonly type: "operation";
  readonly hash: `0x${string}`;
  readonly operation: SignedOperation;
  readonly batchNumber: number;
  /** Place among the batch circuit's slots, narrow ones first. */
  readonly slot: number;
  readonly opIndex: number;
  /** The id that a Create gave. */
  readonly createdId: number | null;
  readonly feeWei: bigint;
  readonly deadlineSeconds: number;
  readonly acknowledgedAtMs: number;
}

/** An entry of L1's queue that was executed, with or without effect. */
export interface ExecutedQueueEntry {
  readonly type: "queue";
  readonly operation: QueueOperation;
  readonly batchNumber: number;
  readonly slot: number;
  readonly isValid: boolean;
  /** The id that a DepositNew gave, and how many signed operations came before; absent in older logs. */
  readonly createdId?: number | null;
  readonly opIndex?: number;
}

/** A settlement or an activation that was executed, and so acknowledged. */
export interface SettlementEntry {
  readonly type: "settlement";
  /** J as 32 bytes: names the ledger's change, whichever proof showed it. */
  readonly hash: `0x${string}`;
  /** The epoch that it settles; 0 for an activation. */
  readonly epoch: number;
  readonly operation: SettlementOperation;
  readonly posting: SettlementPosting;
  readonly batchNumber: number;
  readonly slot: number;
  readonly acknowledgedAtMs: number;
}

/** A batch that was closed. */
interface ClosedEntry {
  readonly type: "closed";
  readonly batchNumber: number;
}

/** The ledger's history as the sequencer made it, in order. */
export type LogEntry = OpenedEntry | ExecutedEntry | ClosedEntry;

/** Entry that takes a slot of a batch. */
export type ExecutedEntry = OperationEntry | ExecutedQueueEntry | SettlementEntry;

/** Position of the chain of batches after a batch. */
export interface ChainPosition {
  readonly batchNumber: number;
  readonly root: bigint;
  readonly nextId: number;
  readonly opIndex: number;
  /** Queue entries executed so far. */
  readonly queueHead: number;
  readonly timestamp: bigint;
  /** Last log entry of the batch. */
  readonly sequence: number;
}

/** A queue entry as the bridge handed it over, and its later status. */
export interface StoredQueueEntry extends QueueOperation {
  readonly l1BlockNumber: number;
  readonly l1TransactionHash: string;
  readonly status: "queued" | "executed" | "invalid";
  readonly batchNumber: number | null;
}

/** Lists the leaves that an operation or a queue entry acts on: A, B, or the one that it created. */
export function leavesOf({
  operation: { a, b, kind },
  createdId = null,
}: Pick<ExecutedQueueEntry, "createdId"> & {
  operation: Pick<QueueOperation, "a" | "b" | "kind">;
}): number[] {
  const rule = kindRule(kind)!;
  const second = rule.usesB && !rule.isCreate ? b : createdId;
  const ids = rule.usesA ? [a] : [];
  if (second !== null && second !== ids[0]) ids.push(second);
  return ids;
}
