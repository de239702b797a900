/** Status of operations and queue entries as the API shows it, from pending to final: it follows from the batch. */
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import type { OperationStatus } from "@openledger/circuits/wire/operation-status";
import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { RollupError } from "@openledger/foundation/rollup-error";
import type { ListedQueueEntry } from "./executed-queue.ts";
import type { OperationEntry } from "./log-entry.ts";
import type { StoredBatch } from "./stored-batch.ts";

/** All that the sequencer can say of one operation. */
export interface KnownOperation {
  readonly hash: `0x${string}`;
  readonly operation: SignedOperation;
  readonly status: OperationStatus;
  /** null until it was executed. */
  readonly entry: OperationEntry | null;
  /** null until its batch was closed. */
  readonly batch: StoredBatch | null;
  readonly preconfirmation: Preconfirmation | null;
  /** Error that it was dropped for. */
  readonly reason: RollupError | null;
}

/** An executed queue entry: its index in the queue is its name. */
export interface KnownQueueEntry extends ListedQueueEntry {
  readonly status: OperationStatus;
  readonly batch: StoredBatch | null;
}

/**
 * Status of an executed operation: that of its batch, which an L1 reorganisation may turn back.
 * @param batch null while it is open
 */
export function operationStatusOf(batch: StoredBatch | null): OperationStatus {
  if (batch === null) return "acknowledged";
  return batch.status === "submitted" ? "proven" : batch.status;
}

/** Makes the record of an operation that waits or was dropped. */
export function unexecuted(
  { hash, operation }: Pick<KnownOperation, "hash" | "operation">,
  status: "pending" | "dropped",
  reason: RollupError | null = null,
): KnownOperation {
  return { hash, operation, status, entry: null, batch: null, preconfirmation: null, reason };
}

/** Caches a read: each number is read once. */
export function remembered<T>(read: (number: number) => Promise<T>): (number: number) => Promise<T> {
  const known = new Map<number, Promise<T>>();
  return (number) => {
    const found = known.get(number) ?? read(number);
    known.set(number, found);
    return found;
  };
}

/** Adds the status to an executed queue entry. */
export async function knownQueueEntry(
  entry: ListedQueueEntry,
  pipeline: { batch(number: number): Promise<StoredBatch | undefined> },
): Promise<KnownQueueEntry> {
  const batch = (await pipeline.batch(entry.record.batchNumber!)) ?? null;
  return { ...entry, status: operationStatusOf(batch), batch };
}
