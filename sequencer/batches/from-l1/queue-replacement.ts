/**
 * Plans the replacement of queue entries (deposits, forced operations) that a reorganisation of L1 took back after the bridge
 * had handed them over. rebase.ts executes the plan.
 */

import { sequencerError } from "../../sequencer-errors.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";
import type { StoredQueueEntry } from "../../store/log-entry.ts";
import { statusRank } from "../../store/stored-batch.ts";
import type { BatchRegistry } from "../batch-registry.ts";
import { type NewQueueEntry, sameQueueEntry } from "./queue-entry.ts";

/** L1's present entries by queue index, instead of the handed-over ones; null: L1 has none there any more. */
export type ReplacedQueue = ReadonlyMap<number, StoredQueueEntry | null>;

interface QueueReplacement {
  /** Number of the last batch that took none of the replaced entries. */
  readonly base: number;
  readonly queue: ReplacedQueue;
  /** Index of the entry that comes after those that are known now. */
  readonly seenIndex: number;
}

/**
 * @param entries L1's entries from `fromIndex` on, in order; the handed-over ones behind them are gone
 * @param seenIndex index after the last entry that was handed over
 * @returns null where the sequencer knows these entries, and no others, already
 * @throws SEQ_QUEUE_GAP; SEQ_QUEUE_FINAL where a final batch took one of them; SEQ_BATCH_CONFLICT as long as a batch
 * that took one of them is on L1 or on its way there: it may still turn out to be right
 */
export async function planQueueReplacement(
  {
    entries,
    fromIndex,
    seenIndex,
  }: { entries: readonly NewQueueEntry[]; fromIndex: number; seenIndex: number },
  registry: BatchRegistry,
  log: LedgerLog,
): Promise<QueueReplacement | null> {
  const misplaced = entries.find(({ queueIndex }, i) => queueIndex !== fromIndex + i);
  if (misplaced !== undefined || fromIndex > seenIndex) {
    const data = { queueIndex: misplaced?.queueIndex ?? fromIndex, nextIndex: seenIndex };
    throw sequencerError("SEQ_QUEUE_GAP", `entry ${data.queueIndex} is not where it has to be`, { data });
  }
  let same = 0;
  for (const entry of entries) {
    const isPruned = entry.queueIndex < (log.prunedTo?.queueHead ?? 0);
    const known = isPruned ? undefined : await log.queueEntry(entry.queueIndex);
    if (!isPruned && (known === undefined || !sameQueueEntry(known, entry))) break;
    same += 1;
  }
  const firstIndex = fromIndex + same;
  if (same === entries.length && firstIndex === seenIndex) return null;
  if (firstIndex < registry.positionAfter(registry.finalNumber).queueHead) {
    throw sequencerError("SEQ_QUEUE_FINAL", `a final batch took queue entry ${firstIndex}`, {
      data: { queueIndex: firstIndex, finalNumber: registry.finalNumber },
    });
  }
  let base = registry.closedNumber;
  while (base > registry.finalNumber && registry.positionAfter(base).queueHead > firstIndex) base -= 1;
  const next = registry.record(base + 1);
  if (next !== undefined && statusRank(next.status) >= statusRank("submitted")) {
    throw sequencerError(
      "SEQ_BATCH_CONFLICT",
      `batch ${base + 1} took queue entry ${firstIndex} and is ${next.status}`,
      {
        data: {
          reason: "batch-out-of-order",
          batchNumber: base + 1,
          status: next.status,
          queueIndex: firstIndex,
        },
      },
    );
  }
  const queue = new Map<number, StoredQueueEntry | null>();
  for (let index = firstIndex; index < seenIndex; index++) queue.set(index, null);
  for (const entry of entries.slice(same))
    queue.set(entry.queueIndex, { ...entry, status: "queued", batchNumber: null });
  return { base, queue, seenIndex: fromIndex + entries.length };
}
