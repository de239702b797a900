/**
 * Takes the entries of L1's queue (deposits, forced operations) that the bridge hands over: new ones are stored, known ones
 * must be the same.
 */
import type { QueueEntry } from "@openledger/bridge/l1/queue-entry";
import type { QueueOperation } from "@openledger/circuits/ledger/operation";
import { sequencerError } from "../../sequencer-errors.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";
import type { StoredQueueEntry } from "../../store/log-entry.ts";

/** Fields of an entry that L1 hashes. */
const FIELDS = [
  "kind",
  "queueIndex",
  "a",
  "b",
  "amountWei",
  "word1",
  "word2",
  "word3",
  "word4",
  "sender",
] as const satisfies (keyof QueueOperation)[];

/** Returns true if two entries are the same to L1. The place where the bridge saw an entry does not count. */
export function sameQueueEntry(one: QueueOperation, other: QueueOperation): boolean {
  return FIELDS.every((field) => one[field] === other[field]);
}

/** The record of an entry of L1's queue that waits. */
export const waitingEntry = ({ sender, ...entry }: QueueEntry): StoredQueueEntry => ({
  ...entry,
  sender: BigInt(sender),
  status: "queued",
  batchNumber: null,
});

/** An entry as the bridge hands it over. */
export type NewQueueEntry = Omit<StoredQueueEntry, "status" | "batchNumber">;

/**
 * Filters the entries that were not handed over before; `seenIndex` is the next one's index.
 * @throws SEQ_QUEUE_GAP, SEQ_QUEUE_CONFLICT
 */
export async function freshQueueEntries(
  entries: readonly NewQueueEntry[],
  seenIndex: number,
  log: LedgerLog,
): Promise<StoredQueueEntry[]> {
  const fresh: StoredQueueEntry[] = [];
  for (const entry of entries) {
    const nextIndex = seenIndex + fresh.length;
    const { queueIndex } = entry;
    if (queueIndex > nextIndex) {
      throw sequencerError("SEQ_QUEUE_GAP", `entry ${queueIndex} came, ${nextIndex} is next`, {
        data: { queueIndex, nextIndex },
      });
    }
    if (queueIndex === nextIndex) {
      fresh.push({ ...entry, status: "queued", batchNumber: null });
      continue;
    }
    // The earlier entry is pruned, so there is nothing to compare with.
    if (queueIndex < (log.prunedTo?.queueHead ?? 0)) continue;
    const known =
      fresh.find((other) => other.queueIndex === queueIndex) ?? (await log.queueEntry(queueIndex));
    if (known === undefined || !sameQueueEntry(known, entry)) {
      throw sequencerError("SEQ_QUEUE_CONFLICT", `entry ${queueIndex} was handed over with other content`, {
        data: { queueIndex, nextIndex },
      });
    }
  }
  return fresh;
}
