/**
 * Index of the sequencer's log: the keys under which an operation is found, by its hash or number, and among the operations of
 * its leaves.
 */
import { queueIndexWrites } from "./executed-queue.ts";
import { type ExecutedQueueEntry, leavesOf, type OperationEntry } from "./log-entry.ts";
import { storeKeys } from "./store-keys.ts";

const leafOperations = (entry: OperationEntry, sequence: number): string[] =>
  leavesOf(entry).map((id) => storeKeys.leafOperation(id, sequence));

/** All that an operation has in the index. */
export function operationIndex(entry: OperationEntry, sequence: number): { key: string; value: number }[] {
  const keys = [storeKeys.operation(entry.hash), ...leafOperations(entry, sequence)];
  return keys.map((key) => ({ key, value: sequence }));
}

/** Keys that go with a pruned entry; an operation's hash stays. */
export const prunedIndexKeys = (entry: OperationEntry | ExecutedQueueEntry, sequence: number): string[] =>
  entry.type === "operation"
    ? leafOperations(entry, sequence)
    : queueIndexWrites(entry, sequence).map(({ key }) => key);
