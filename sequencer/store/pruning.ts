/**
 * Deletes final history beyond a retention, batch by batch. The store names the place up to which history is
 * pruned before anything is deleted, and every reader refuses what is older than that place. So a kill at any
 * moment leaves a store that answers like a finished one, and the next start deletes the rest. ledger-log.ts
 * runs it.
 *
 * Two things of a pruned batch stay. The names of its operations, transactions, blobs and settlements: a request by
 * hash gets SEQ_HISTORY_PRUNED and not SEQ_UNKNOWN. And the records of epochs and of their closes on L1.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { CheckedLevel, LevelWrite } from "@openledger/foundation/store/checked-level";
import { sequencerError } from "../sequencer-errors.ts";
import { postedIndexWrites } from "./executed-queue.ts";
import { type IndexWrite, settlementWrites, transactionWrites } from "./hash-index.ts";
import type { ChainPosition, LogEntry, StoredQueueEntry } from "./log-entry.ts";
import { prunedIndexKeys } from "./operation-index.ts";
import { storeKeys, underPrefix } from "./store-keys.ts";
import { queueCountOf, type StoredBatch } from "./stored-batch.ts";

/** Signed operations and queue entries up to a place. */
const operationsUpTo = ({ opIndex, queueHead }: Pick<ChainPosition, "opIndex" | "queueHead">): number =>
  opIndex + queueHead;

export interface PruningOptions {
  /** Final operations and queue entries that stay, at least; null: all stay. */
  readonly retention: number | null;
  readonly onPruned?: (to: ChainPosition) => void;
  /** The disk refused; pruning is tried again later. */
  readonly onFailed?: (error: unknown) => void;
  /** Called between the steps: the disk then has the state that a kill would leave. */
  readonly onStep?: (step: string) => Promise<void> | void;
}

/** Logs pruning for an operator. */
export const pruningEvents = (logger: Logger): Pick<PruningOptions, "onPruned" | "onFailed"> => ({
  onPruned: ({ batchNumber, opIndex }) => logger.info({ upToBatch: batchNumber, opIndex }, "history pruned"),
  onFailed: (error) =>
    logger.error(
      { err: error, code: isRollupError(error) ? error.code : "SRV_STORE_FAILED" },
      "history could not be pruned; it is tried again",
    ),
});

/** A run prunes this part of the retention at least, so that LevelDB compacts seldom. */
const RUN_PART = 20;
/** Maximum operations of a run: LevelDB compacts a few hundred megabytes after it. */
const MAX_RUN_OPERATIONS = 100_000;
/** Pairs that are read, and their keys deleted, in one write. */
const PAIRS_PER_WRITE = 500;
/** Batch records take up to 300 kB each. */
const BYTES_PER_READ = 2 ** 18;

class Stopped extends Error {}

export class Pruning {
  readonly #level: CheckedLevel;
  readonly #options: PruningOptions;
  #prunedTo: ChainPosition | null;
  /** True while keys up to `#prunedTo` may still be in the store. */
  #isUnfinished: boolean;
  #isStopped = false;

  static async load(level: CheckedLevel, options: PruningOptions): Promise<Pruning> {
    const prunedTo = (await level.read(level.db.get(storeKeys.prunedTo))) as ChainPosition | undefined;
    return new Pruning(level, options, prunedTo ?? null);
  }

  private constructor(level: CheckedLevel, options: PruningOptions, prunedTo: ChainPosition | null) {
    this.#level = level;
    this.#options = options;
    this.#prunedTo = prunedTo;
    this.#isUnfinished = prunedTo !== null;
  }

  /** The last batch that is not in the store any more; null where all history is. */
  get prunedTo(): ChainPosition | null {
    return this.#prunedTo;
  }

  /** Error for a request of pruned history. @param what names the requested thing */
  error(what: string, data: object = {}): RollupError {
    const { batchNumber, opIndex } = this.#prunedTo!;
    return sequencerError(
      "SEQ_HISTORY_PRUNED",
      `${what} is no longer here: history up to batch ${batchNumber} was pruned. A full node has it (openledger follow), and L1`,
      { data: { ...data, prunedTo: { batchNumber, opIndex } } },
    );
  }

  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Prunes history beyond the retention, where there is enough for a run.
   * @returns whether there may be more
   * @throws SRV_STORE_*
   */
  async next(): Promise<boolean> {
    try {
      if (this.#isUnfinished) await this.#deleteRest();
      const to = await this.#endOfRun();
      if (to === null) return false;
      await this.#level.write([{ type: "put", key: storeKeys.prunedTo, value: to }]);
      this.#prunedTo = to;
      this.#isUnfinished = true;
      await this.#step("place written");
      await this.#deleteRest();
      this.#options.onPruned?.(to);
      return true;
    } catch (error) {
      if (error instanceof Stopped) return false;
      throw error;
    }
  }

  async #step(name: string): Promise<void> {
    await nextTurn();
    await this.#options.onStep?.(name);
    if (this.#isStopped) throw new Stopped();
  }

  /** The last batch of the next run; null where there is too little for one. The last final batch always stays. */
  async #endOfRun(): Promise<ChainPosition | null> {
    const { retention } = this.#options;
    if (retention === null) return null;
    const { db } = this.#level;
    const final = (await this.#level.read(db.get(storeKeys.finalPosition))) as ChainPosition | undefined;
    if (final === undefined) return null;
    const runOperations = Math.max(1, Math.min(MAX_RUN_OPERATIONS, Math.floor(retention / RUN_PART)));
    const min = operationsUpTo(final) - retention;
    let first: number | null = this.#prunedTo === null ? null : operationsUpTo(this.#prunedTo);
    if (first !== null && min - first < runOperations) return null;
    let to: ChainPosition | null = null;
    const range = {
      gt: storeKeys.batch(this.#prunedTo?.batchNumber ?? 0),
      lt: storeKeys.batch(final.batchNumber),
    };
    for await (const pairs of this.#pairs<StoredBatch>(range, 1)) {
      const { position, signedCount } = pairs[0]![1];
      first ??= operationsUpTo(position) - signedCount - queueCountOf(pairs[0]![1]);
      if (operationsUpTo(position) > min || min - first < runOperations) break;
      to = position;
      if (operationsUpTo(position) - first >= MAX_RUN_OPERATIONS) break;
    }
    return to;
  }

  /** Deletes the rest of pruned batches. Names of other things are deleted in the write of their record. */
  async #deleteRest(): Promise<void> {
    const { batchNumber, queueHead, sequence } = this.#prunedTo!;
    const upTo = (family: string, end: string) => ({ gt: underPrefix(family).gt, lt: end });

    for await (const pairs of this.#pairs<LogEntry>(
      upTo("log", storeKeys.log(sequence + 1)),
      PAIRS_PER_WRITE,
    )) {
      for (const [, entry] of pairs)
        if (entry.type === "settlement" && entry.epoch > 0)
          await this.#deletePayments(entry.operation.modelId, entry.epoch);
      await this.#delete("log", pairs, (key, entry) => {
        const index = Number.parseInt(key.slice("log!".length), 16);
        if (entry.type === "operation" || entry.type === "queue")
          return { keys: prunedIndexKeys(entry, index) };
        return entry.type === "settlement" ? { names: settlementWrites(entry) } : {};
      });
    }
    const queue = upTo("queue", storeKeys.queueEntry(queueHead));
    for await (const pairs of this.#pairs<StoredQueueEntry>(queue, PAIRS_PER_WRITE))
      await this.#delete("queue", pairs, (key, entry) => ({ names: transactionWrites(key, entry) }));
    const batches = upTo("batch", storeKeys.batch(batchNumber + 1));
    for await (const pairs of this.#pairs<StoredBatch>(batches, PAIRS_PER_WRITE))
      await this.#delete("batch", pairs, (key, batch) => ({
        // The log had entries for what an own batch has executed.
        keys:
          batch.firstSequence < batch.position.sequence
            ? []
            : postedIndexWrites(batch, batch.position.queueHead - queueCountOf(batch)).map(({ key }) => key),
        names: transactionWrites(key, batch),
      }));
    this.#isUnfinished = false;
    // LevelDB gives room back only where it compacts.
    const { db } = this.#level as unknown as {
      db: { compactRange(start: string, end: string): Promise<void> };
    };
    for (const [family, end] of [
      ["log", storeKeys.log(sequence)],
      ["batch", storeKeys.batch(batchNumber)],
    ] as const)
      await this.#level.read(db.compactRange(`${family}!`, end));
  }

  /** An epoch's payments go with its settlement. */
  async #deletePayments(modelId: number, epoch: number): Promise<void> {
    const range = {
      gt: underPrefix(storeKeys.payment(modelId, epoch, 0).slice(0, -13)).gt,
      lt: storeKeys.payment(modelId, epoch + 1, 0),
    };
    for await (const pairs of this.#pairs(range, PAIRS_PER_WRITE))
      await this.#delete("payments", pairs, () => ({}));
  }

  /** @param also of a record: further keys to delete, and its names, which say from then on that they are final */
  async #delete<Value>(
    step: string,
    pairs: readonly (readonly [string, Value])[],
    also: (key: string, value: Value) => { keys?: readonly string[]; names?: readonly IndexWrite[] },
  ): Promise<void> {
    const writes = pairs.flatMap(([key, value]): LevelWrite[] => {
      const { keys = [], names = [] } = also(key, value);
      return [
        ...[key, ...keys].map((one) => ({ type: "del" as const, key: one })),
        ...names.map((name) => ({
          type: "put" as const,
          key: name.key,
          value: { ...name.value, isFinal: true },
        })),
      ];
    });
    await this.#level.write(writes);
    await this.#step(`${step} deleted in part`);
  }

  async *#pairs<Value>(range: { gt: string; lt: string }, count: number): AsyncGenerator<[string, Value][]> {
    const pairs = this.#level.db.iterator({ ...range, fillCache: false, highWaterMarkBytes: BYTES_PER_READ });
    try {
      for (;;) {
        const some = (await this.#level.read(pairs.nextv(count))) as [string, Value][];
        if (some.length === 0) return;
        yield some;
      }
    } finally {
      await pairs.close();
    }
  }
}
