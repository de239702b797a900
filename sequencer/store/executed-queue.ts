/**
 * Store records of an executed queue entry (a deposit or forced operation from L1): the entry itself, and its place among the
 * operations of its leaves.
 */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import type { QueueOperation } from "@openledger/circuits/ledger/operation";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { type ExecutedQueueEntry, leavesOf, type StoredQueueEntry } from "./log-entry.ts";
import { type StoreWrite, storeKeys } from "./store-keys.ts";
import { narrowSlotsOf, type StoredBatch } from "./stored-batch.ts";

/** Value of a `leafQueueEntry` key. */
export interface IndexedQueueEntry extends Required<Pick<ExecutedQueueEntry, "createdId" | "opIndex">> {
  readonly queueIndex: number;
}

/** Queue entry in the list of a leaf's operations. */
export interface ListedQueueEntry extends IndexedQueueEntry {
  readonly type: "queue";
  readonly record: StoredQueueEntry;
}

/** Executed entry in an own batch or in one of somebody else. */
type PositionedEntry = Omit<ExecutedQueueEntry, "operation" | "type"> & {
  readonly operation: Pick<QueueOperation, "a" | "b" | "kind" | "queueIndex">;
};

export const operationOf = ({
  status: _status,
  batchNumber: _batchNumber,
  l1BlockNumber: _blockNumber,
  l1TransactionHash: _transactionHash,
  ...operation
}: StoredQueueEntry): QueueOperation => operation;

const createdBy = ({ b, isValid, kind }: SlotRecord) => (kind === KIND.depositNew && isValid ? b : null);

/** The log's entry and the record of an entry that an own batch has executed; `LedgerLog.append` indexes it. */
export function executedEntry(
  stored: StoredQueueEntry,
  record: SlotRecord,
  index: Required<Pick<ExecutedQueueEntry, "batchNumber" | "slot" | "opIndex">>,
): { entry: ExecutedQueueEntry; write: StoreWrite } {
  const { isValid } = record;
  const operation = operationOf(stored);
  const entry = { type: "queue", operation, ...index, isValid, createdId: createdBy(record) } as const;
  return { entry, write: recordWrite(stored, entry) };
}

function recordWrite(stored: StoredQueueEntry, { batchNumber, isValid }: PositionedEntry): StoreWrite {
  const value: StoredQueueEntry = { ...stored, status: isValid ? "executed" : "invalid", batchNumber };
  return { key: storeKeys.queueEntry(stored.queueIndex), value };
}

/** Index writes of an executed entry; none for an entry without an effect, which no leaf's operations list. */
export function queueIndexWrites(
  { createdId = null, isValid, operation, opIndex = 0 }: PositionedEntry,
  sequence: number,
): StoreWrite[] {
  if (!isValid) return [];
  const { queueIndex } = operation;
  const value: IndexedQueueEntry = { queueIndex, opIndex, createdId };
  return [
    { key: storeKeys.queueSequence(queueIndex), value: sequence },
    ...leavesOf({ operation, createdId }).map((id) => ({
      key: storeKeys.leafQueueEntry(id, sequence, queueIndex),
      value,
    })),
  ];
}

/** Entries of a batch that is in no entry of the log. @param queueHead before the batch */
function postedEntries(
  { circuit, number, position, wide }: StoredBatch,
  queueHead: number,
): PositionedEntry[] {
  const narrowCount = narrowSlotsOf(circuit);
  const isSigned = ({ kind }: SlotRecord) => kindRule(kind)?.isSigned === true;
  let opIndex = position.opIndex - wide.filter(isSigned).length;
  let queueIndex = queueHead;
  return wide.flatMap((record, i) => {
    if (isSigned(record)) opIndex += 1;
    const { a, b, isValid, kind } = record;
    if (kindRule(kind)?.isQueue !== true) return [];
    const operation = { kind, a, b, queueIndex: queueIndex++ };
    const index = { batchNumber: number, slot: narrowCount + i, opIndex };
    return [{ operation, ...index, isValid, createdId: createdBy(record) }];
  });
}

/** @param storedOf an entry's record by its index: as L1 has it */
export const postedQueueWrites = (
  batch: StoredBatch,
  queueHead: number,
  storedOf: (queueIndex: number) => StoredQueueEntry,
): StoreWrite[] =>
  postedEntries(batch, queueHead).flatMap((entry) => [
    recordWrite(storedOf(entry.operation.queueIndex), entry),
    ...queueIndexWrites(entry, batch.position.sequence),
  ]);

/** Index writes alone, without the entries' records. */
export const postedIndexWrites = (batch: StoredBatch, queueHead: number): StoreWrite[] =>
  postedEntries(batch, queueHead).flatMap((entry) => queueIndexWrites(entry, batch.position.sequence));

/** Writes that undo the index writes of `postedQueueWrites`. */
export const forgetPostedQueue = (batch: StoredBatch, queueHead: number): StoreWrite[] =>
  postedIndexWrites(batch, queueHead).map(({ key }) => ({ key }));
