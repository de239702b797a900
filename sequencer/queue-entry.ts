import type { QueueOperation } from "../circuits/operation.ts";

const FIELDS = [
  "kind",
  "queueIndex",
  "a",
  "b",
  "amountWei",
  "word1",
  "word2",
  "sender",
] as const satisfies (keyof QueueOperation)[];

/** Whether two entries are one to L1: where the bridge saw it is no part of it. */
export function sameQueueEntry(one: QueueOperation, other: QueueOperation): boolean {
  return FIELDS.every((field) => one[field] === other[field]);
}
