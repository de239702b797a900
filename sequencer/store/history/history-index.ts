/** The names under which what is in a segment of the history is looked up: hashes, and leaves' operations. */
import { kindRule } from "@openledger/circuits/protocol";
import { mergeSorted, type Pair } from "@openledger/foundation/store/sorted-table";
import { postedIndexWrites, queueIndexWrites } from "../executed-queue.ts";
import { transactionWrites } from "../hash-index.ts";
import {
  type ChainPosition,
  type LogEntry,
  leavesOf,
  type OperationEntry,
  type StoredQueueEntry,
} from "../log-entry.ts";
import { storeEncoding } from "../store-encoding.ts";
import { storeKeys } from "../store-keys.ts";
import type { StoredBatch } from "../stored-batch.ts";

/** How far the history has come: the last batch, and what there was up to its end. */
export type HistoryPlace = Pick<ChainPosition, "batchNumber" | "opIndex" | "queueHead" | "sequence">;

/** Signed operations and queue entries. */
export const operationsUpTo = ({ opIndex, queueHead }: HistoryPlace): number => opIndex + queueHead;

const queueCountOf = ({ wide }: StoredBatch) =>
  wide.filter(({ kind }) => kindRule(kind)?.isQueue === true).length;

/** Before a batch. */
export function firstPlaceOf(batch: StoredBatch): HistoryPlace {
  const { number, position, signedCount } = batch;
  return {
    batchNumber: number - 1,
    opIndex: position.opIndex - signedCount,
    queueHead: position.queueHead - queueCountOf(batch),
    sequence: -1,
  };
}

/** What the store's indices have of an operation. */
export function operationIndex(entry: OperationEntry, sequence: number): { key: string; value: number }[] {
  return [
    { key: storeKeys.operation(entry.hash), value: sequence },
    ...leavesOf(entry).map((id) => ({ key: storeKeys.leafOperation(id, sequence), value: sequence })),
  ];
}

/** Few enough that sorting them does not hold up anyone. */
const SORTED_AT_ONCE = 8_192;

interface NamedValue {
  readonly key: string;
  readonly value?: unknown;
}

export class SegmentIndex {
  readonly #sorted: NamedValue[][] = [];
  #unsorted: NamedValue[] = [];

  addEntry(sequence: number, entry: LogEntry): void {
    if (entry.type === "operation") this.#add(operationIndex(entry, sequence));
    if (entry.type === "queue") this.#add(queueIndexWrites(entry, sequence));
  }

  addBatch(key: string, batch: StoredBatch): void {
    this.#add(transactionWrites(key, batch));
    // Of what an own batch has executed, the log has entries.
    if (batch.firstSequence < batch.position.sequence) return;
    this.#add(postedIndexWrites(batch, batch.position.queueHead - queueCountOf(batch)));
  }

  addQueueEntry(key: string, entry: StoredQueueEntry): void {
    this.#add(transactionWrites(key, entry));
  }

  #add(writes: readonly NamedValue[]): void {
    this.#unsorted.push(...writes);
    if (this.#unsorted.length >= SORTED_AT_ONCE) this.#sort();
  }

  #sort(): void {
    this.#sorted.push(this.#unsorted.sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0)));
    this.#unsorted = [];
  }

  /** Once. */
  async *sorted(): AsyncGenerator<readonly Pair[]> {
    this.#sort();
    let some: Pair[] = [];
    for await (const pair of mergeSorted(this.#sorted.map(encoded))) {
      some.push(pair);
      if (some.length < 500) continue;
      yield some;
      some = [];
    }
    if (some.length > 0) yield some;
  }
}

function* encoded(values: readonly NamedValue[]): Generator<readonly Pair[]> {
  for (let at = 0; at < values.length; at += 100)
    yield values.slice(at, at + 100).map(({ key, value }): Pair => [key, storeEncoding.encode(value)]);
}
