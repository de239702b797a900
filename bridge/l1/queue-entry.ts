/**
 * Entries of L1's queue as the bridge reads them from events; the sequencer, full nodes and snapshots take them
 * in this form. Amounts are wei.
 */
import type { Hex } from "viem";
import type { RollupLog } from "./log-reader.ts";

/** A queue entry as L1 emitted it. */
export interface QueueEntry {
  readonly queueIndex: number;
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly amountWei: bigint;
  readonly word1: bigint;
  readonly word2: bigint;
  readonly word3: bigint;
  readonly word4: bigint;
  readonly sender: Hex;
  readonly l1BlockNumber: number;
  readonly l1TransactionHash: Hex;
}

/** The entry of an event of L1's queue. */
export function toQueueEntry(log: RollupLog & { eventName: "QueueEntryAdded" }): QueueEntry {
  const { index, kind, a, b, amountWei, word1, word2, word3, word4, sender } = log.args;
  return {
    queueIndex: Number(index),
    kind,
    a,
    b,
    amountWei,
    word1,
    word2,
    word3,
    word4,
    sender,
    l1BlockNumber: Number(log.blockNumber),
    l1TransactionHash: log.transactionHash,
  };
}
