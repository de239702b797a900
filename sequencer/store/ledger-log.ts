/**
 * The sequencer's one durable thing: an ordered log and the records derived from it, in LevelDB.
 *
 * Everything is written through one queue. Writes that arrive while another is on its way to the disk go out
 * together in the next atomic, synced write: they share one fsync, and a later write is never durable before an
 * earlier one. A write that fails ends the process: memory is ahead of the disk then, and only a replay mends that.
 */

import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { type FlatLeaf, FlatLedger, Ledger } from "@openledger/circuits/ledger/ledger";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { CheckedLevel, type LevelDb } from "@openledger/foundation/store/checked-level";
import type { KeyRange, Pair } from "@openledger/foundation/store/sorted-table";
import { sequencerError } from "../sequencer-errors.ts";
import { DurableMark } from "./durable-mark.ts";
import { type IndexedQueueEntry, type ListedQueueEntry, queueIndexWrites } from "./executed-queue.ts";
import { type HashTarget, settlementWrites, transactionWrites } from "./hash-index.ts";
import { FinalLeaves } from "./history/final-leaves.ts";
import { History, type HistoryOptions } from "./history/history.ts";
import { operationIndex } from "./history/history-index.ts";
import { leafOf, type StoredLeaf } from "./leaf-value.ts";
import type {
  ChainPosition,
  ExecutedEntry,
  LogEntry,
  OperationEntry,
  StoredQueueEntry,
} from "./log-entry.ts";
import { checkedBody, storeEncoding } from "./store-encoding.ts";
import { corrupt, STORE_REMEDIES, type StoreOwner } from "./store-failure.ts";
import { leafIdOf, ofHashes, type StoreWrite, storeKeys, underPrefix } from "./store-keys.ts";
import type { StoredBatch } from "./stored-batch.ts";

export type LeafOperation = OperationEntry | ListedQueueEntry;

/** Leaves as a batch leaves them, and their hashes. */
export type LeafChanges = readonly (readonly [id: number, record: LeafState, hash: bigint])[];

interface PendingWrite {
  readonly writes: StoreWrite[];
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const newPendingWrite = (): PendingWrite => {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Callers that do not wait for durability hear of a failure through `onFailure`.
  promise.catch(() => {});
  return { writes: [], promise, resolve, reject };
};

/** Entries that one look back reads: batches of nobody's operations have two each. */
const MAX_ENTRIES_READ = 2_000;

/** How often tables that LevelDB has made since are read: so much a start then still has to read. */
const CHECK_EVERY_MS = 60_000;

/** How long a segment that could not be written waits for the next try. */
const MOVE_AGAIN_MS = 60_000;

/** Leaves that are put into memory at a time. */
const LEAVES_AT_ONCE = 4_096;

export class LedgerLog {
  readonly #level: CheckedLevel;
  readonly #db: LevelDb;
  readonly #onFailure: (error: Error) => void;
  #nextSequence: number;
  /** Sequence of the last entry, once everything that was asked for is written. */
  #lastKept: number;
  /** The mark is lowered to this before the next write; null: it stays. */
  #lowerTo: number | null = null;
  #pending = newPendingWrite();
  /** On its way to the disk. */
  #current: PendingWrite | null = null;
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;

  readonly #leaves: FinalLeaves;
  readonly #mark: DurableMark;
  readonly #checkTimer: NodeJS.Timeout;
  #checking: Promise<void> | null = null;
  #isClosing = false;
  readonly #history: History;
  readonly #historyOptions: HistoryOptions;
  #moving: Promise<void> | null = null;
  #movingFailedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    level: CheckedLevel,
    mark: DurableMark,
    nextSequence: number,
    onFailure: (error: Error) => void,
    history: { readonly history: History; readonly options: HistoryOptions },
  ) {
    this.#history = history.history;
    this.#historyOptions = history.options;
    this.#level = level;
    this.#db = level.db;
    this.#mark = mark;
    this.#nextSequence = nextSequence;
    this.#lastKept = nextSequence - 1;
    this.#onFailure = onFailure;
    this.#leaves = new FinalLeaves({
      path: level.path,
      get: (key) => this.get(key),
      write: (writes) => this.write(writes),
    });
    this.#checkTimer = setInterval(() => void this.checkTables(), CHECK_EVERY_MS).unref();
  }

  /** What the start read before anything else. */
  get check() {
    return this.#level.check;
  }

  /**
   * @param onFailure called once, when a write failed or damage was met
   * @param options.history how long final history stays in the store; without it, for good
   * @param options.owner whose directory it is: "sequencer" by default; remedies differ
   * @throws SRV_STORE_LOCKED, SRV_STORE_FAILED; SRV_STORE_CORRUPT where files are damaged or missing, or entries are gone
   * that were durable
   */
  static async open(
    path: string,
    onFailure: (error: Error) => void = () => {},
    options: { owner?: StoreOwner; history?: HistoryOptions } = {},
  ): Promise<LedgerLog> {
    const { history: historyOptions = {}, owner = "sequencer" } = options;
    let log: LedgerLog | null = null;
    const level = await CheckedLevel.open(path, {
      valueEncoding: storeEncoding,
      remedies: STORE_REMEDIES[owner],
      onFailure: (error) => {
        if (log !== null) log.#fail(error);
      },
      checkValue: checkedBody,
    });
    const mark = new DurableMark(path);
    try {
      const lastDurable = await level.read((async () => mark.read() ?? -1)());
      const keys = level.db.keys({ ...underPrefix("log"), reverse: true, limit: 1 });
      const [last] = await level.read(keys.all());
      const history = await History.load(level, historyOptions);
      const lastHot = last === undefined ? -1 : Number.parseInt(last.slice("log!".length), 16);
      const nextSequence = Math.max(lastHot, history.lastSequence) + 1;
      if (lastDurable >= nextSequence) {
        throw corrupt(
          `the log in ${path} ends at ${nextSequence - 1}, and ${lastDurable} was durable`,
          { path, lastSequence: nextSequence - 1, durableSequence: lastDurable },
          owner,
        );
      }
      log = new LedgerLog(level, mark, nextSequence, onFailure, { history, options: historyOptions });
      log.#moveHistory();
      return log;
    } catch (error) {
      await level.close().catch(() => {});
      throw error;
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#onFailure(error);
  }

  /** The last sequence that was given, durable or not, forgotten or not; −1 for an empty log. */
  get lastSequence(): number {
    return this.#nextSequence - 1;
  }

  /** Adds entries and writes, atomically. The sequences are given at once; the promise resolves when all is durable. */
  append(entries: readonly LogEntry[], writes: readonly StoreWrite[] = []): Promise<void> {
    for (const entry of entries) {
      const sequence = this.#nextSequence++;
      this.#lastKept = sequence;
      this.#pending.writes.push({ key: storeKeys.log(sequence), value: entry });
      if (entry.type === "operation") this.#pending.writes.push(...operationIndex(entry, sequence));
      if (entry.type === "queue") this.#pending.writes.push(...queueIndexWrites(entry, sequence));
      if (entry.type === "settlement") {
        const key = storeKeys.settlement(entry.operation.modelId, entry.epoch);
        this.#pending.writes.push({ key, value: sequence }, ...settlementWrites(entry));
      }
    }
    return this.write(writes);
  }

  /**
   * To be called together with a write that deletes every entry behind `sequence`, before the entries that come in
   * their stead are added: there may be none, and the log then ends before what was durable once.
   */
  endAt(sequence: number): void {
    this.#lastKept = sequence;
    this.#lowerTo = sequence;
  }

  /** Writes records that are not part of the log. */
  write(writes: readonly StoreWrite[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    // One by one: a restore writes all leaves at once, and a call takes only so many arguments.
    for (const one of writes) {
      this.#pending.writes.push(one, ...transactionWrites(one.key, one.value));
      this.#leaves.note(one);
    }
    const { promise } = this.#pending;
    this.#writing ??= this.#drain();
    this.#beginLeafFile();
    return promise;
  }

  /** Resolves when all that was written so far is durable. */
  flushed(): Promise<void> {
    return this.write([]);
  }

  async #drain(): Promise<void> {
    try {
      // What arrives in the same turn of the event loop shares the write.
      await new Promise((resolve) => setImmediate(resolve));
      while (this.#pending.writes.length > 0) {
        const current = this.#pending;
        this.#current = current;
        this.#pending = newPendingWrite();
        const lastKept = this.#lastKept;
        const lowerTo = this.#lowerTo;
        this.#lowerTo = null;
        try {
          if (lowerTo !== null) this.#mark.lower(lowerTo);
          await this.#level.write(
            current.writes.map(({ key, value }) =>
              value === undefined ? { type: "del" as const, key } : { type: "put" as const, key, value },
            ),
          );
          if (lastKept >= 0) this.#mark.write(lastKept);
          if (current.writes.some(({ key }) => key === storeKeys.finalPosition)) this.#moveHistory();
          current.resolve();
        } catch (cause) {
          // The mark's own failures are told like the store's.
          const error = this.#level.failed("write", cause);
          this.#fail(error);
          current.reject(error);
          this.#pending.reject(error);
          return;
        }
      }
      this.#pending.resolve();
      this.#pending = newPendingWrite();
    } finally {
      this.#current = null;
      this.#writing = null;
    }
  }

  /** Beside the work, moves history out of the store that is final for long enough. */
  #moveHistory(): void {
    const { hotOperations, onSegmentFailed } = this.#historyOptions;
    if (hotOperations === undefined || this.#moving !== null || this.#isClosing || this.#failure !== null)
      return;
    if (performance.now() - this.#movingFailedAtMs < MOVE_AGAIN_MS) return;
    const move = async () => {
      while (await this.#history.moveNext());
    };
    this.#moving = move()
      .catch((error: unknown) => {
        if (History.isStopped(error)) return;
        this.#movingFailedAtMs = performance.now();
        onSegmentFailed?.(error);
      })
      .finally(() => {
        this.#moving = null;
      });
  }

  /** Resolves when no history is being moved. */
  async historyMoved(): Promise<void> {
    while (this.#moving !== null) await this.#moving;
  }

  get history(): Pick<History, "segments" | "pathOf" | "files" | "checkNext"> {
    return this.#history;
  }

  /** A round of the check beside the work; damage ends everything as a failed write does. */
  checkTables(): Promise<void> {
    const check = async () => {
      // Of a failure `onFailure` was called.
      await this.#level.checkTables(() => this.#isClosing).catch(() => {});
      await this.#history
        .checkNext()
        .catch((error: unknown) => this.#historyOptions.onSegmentFailed?.(error));
    };
    this.#checking ??= check().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#checkTimer);
    this.#history.stop();
    await Promise.all([this.#checking, this.#moving]);
    await this.#leaves.close();
    if (this.#failure === null) await this.flushed();
    await this.#history.close();
    this.#mark.close();
    await this.#level.close();
  }

  /** Entries from a sequence on, in order. */
  async *entries(
    fromSequence: number,
    toSequence = Number.MAX_SAFE_INTEGER,
  ): AsyncGenerator<[sequence: number, entry: LogEntry]> {
    const range = { gte: storeKeys.log(fromSequence), lt: underPrefix("log").lt };
    for await (const [key, value] of this.#history.read(range)) {
      const sequence = Number.parseInt(key.slice("log!".length), 16);
      if (sequence > toSequence) return;
      yield [sequence, this.#decode<LogEntry>(value)];
    }
  }

  /**
   * What took a slot before a sequence, newest first.
   * @returns nextBefore: where to go on; null where there is nothing older
   */
  async executedBefore(
    beforeSequence: number,
    limit: number,
  ): Promise<{ found: [sequence: number, entry: ExecutedEntry][]; nextBefore: number | null }> {
    const range = { gt: underPrefix("log").gt, lt: storeKeys.log(beforeSequence) };
    const found: [number, ExecutedEntry][] = [];
    let readCount = 0;
    let oldest = beforeSequence;
    for await (const [key, value] of this.#history.read(range, true)) {
      const entry = this.#decode<LogEntry>(value);
      const isExecuted = entry.type !== "opened" && entry.type !== "closed";
      if (isExecuted && found.length === limit) return { found, nextBefore: oldest };
      oldest = Number.parseInt(key.slice("log!".length), 16);
      readCount += 1;
      if (isExecuted) found.push([oldest, entry]);
      if (readCount === MAX_ENTRIES_READ) return { found, nextBefore: oldest };
    }
    return { found, nextBefore: null };
  }

  /** Operations by their hash, as far as `most` of those with this beginning go. */
  async operationHashes(start: string, most: number): Promise<string[]> {
    const found = await this.#firstOf({ ...ofHashes("operation", start), limit: most });
    return found.map(([key]) => key.slice("operation!".length));
  }

  /** What else hashes with this beginning have named; it may be so no longer. */
  async hashTargets(start: string, most: number): Promise<(HashTarget & { readonly hash: string })[]> {
    const found = await this.#firstOf({ ...ofHashes("hash", start), limit: most });
    return found.map(([key, value]) => ({ hash: key.split("!")[1]!, ...this.#decode<HashTarget>(value) }));
  }

  async get<T>(key: string): Promise<T | undefined> {
    const value = (await this.#level.read(this.#db.get(key))) as T | undefined;
    if (value !== undefined) return value;
    const moved = await this.#history.get(key);
    return moved === undefined ? undefined : this.#decode<T>(moved);
  }

  /** Values of the keys in a range, in key order. */
  async range<T>(range: KeyRange & { lt: string; limit: number; reverse?: boolean }): Promise<T[]> {
    return (await this.#firstOf(range)).map(([, value]) => this.#decode<T>(value));
  }

  async #firstOf(range: KeyRange & { lt: string; limit: number; reverse?: boolean }): Promise<Pair[]> {
    const { limit, reverse = false, ...bounds } = range;
    const found: Pair[] = [];
    if (limit <= 0) return found;
    for await (const pair of this.#history.read(bounds, reverse)) if (found.push(pair) === limit) break;
    return found;
  }

  /** Keys of a range with their values, in key order. */
  async *each<T>(range: { gt: string; lt: string }): AsyncGenerator<[key: string, value: T]> {
    for await (const [key, value] of this.#history.read(range)) yield [key, this.#decode<T>(value)];
  }

  /** As `each`, of what is still in the store alone. */
  async keyed<T>(range: { gt: string; lt: string }): Promise<[key: string, value: T][]> {
    return (await this.#level.read(this.#db.iterator(range).all())) as [string, T][];
  }

  #decode<T>(value: Buffer): T {
    try {
      return storeEncoding.decode(value) as T;
    } catch (cause) {
      throw this.#level.failed("read", cause);
    }
  }

  /** A value that must be there, since the log says so. @throws SEQ_STORE_INCONSISTENT */
  async require<T>(key: string): Promise<T> {
    const value = await this.get<T>(key);
    if (value === undefined)
      throw sequencerError("SEQ_STORE_INCONSISTENT", `the data directory lacks ${key}`, { data: { key } });
    return value;
  }

  async operation(hash: string): Promise<OperationEntry | undefined> {
    const sequence = await this.get<number>(storeKeys.operation(hash));
    return sequence === undefined ? undefined : this.require<OperationEntry>(storeKeys.log(sequence));
  }

  /**
   * Operations and executed queue entries in which a leaf is A, B or was created, newest first in the ledger's order.
   * @param before the hash of an operation, or an entry's index in the queue: those older than it
   * @throws SEQ_UNKNOWN where `before` is nobody's
   */
  async operationsOf(leafId: number, limit: number, before?: string | number): Promise<LeafOperation[]> {
    const prefix = storeKeys.leafOperation(leafId, 0).slice(0, -"!000000000000".length);
    const range = underPrefix(prefix);
    if (before !== undefined) {
      const isEntry = typeof before === "number";
      const sequence = await this.get<number>(
        isEntry ? storeKeys.queueSequence(before) : storeKeys.operation(before),
      );
      if (sequence === undefined) {
        throw isEntry
          ? sequencerError("SEQ_UNKNOWN", `no queue entry ${before} was executed here`, {
              data: { reason: "queue-entry", queueIndex: before },
            })
          : sequencerError("SEQ_UNKNOWN", `no operation ${before} was acknowledged here`, {
              data: { reason: "operation", hash: before },
            });
      }
      range.lt = isEntry
        ? storeKeys.leafQueueEntry(leafId, sequence, before)
        : storeKeys.leafOperation(leafId, sequence);
    }
    const found = await this.range<number | IndexedQueueEntry>({ ...range, reverse: true, limit });
    return Promise.all(
      found.map(async (one): Promise<LeafOperation> => {
        if (typeof one === "number") return this.require<OperationEntry>(storeKeys.log(one));
        const record = await this.require<StoredQueueEntry>(storeKeys.queueEntry(one.queueIndex));
        return { type: "queue", record, ...one };
      }),
    );
  }

  /**
   * The record as it was last written, durable or not: `BatchRegistry` forgets a batch as it becomes final, and who asks
   * at that moment must not be told what was before.
   */
  async batch(batchNumber: number): Promise<StoredBatch | undefined> {
    const key = storeKeys.batch(batchNumber);
    const ofKey = (write: StoreWrite) => write.key === key;
    const waiting = this.#pending.writes.findLast(ofKey) ?? this.#current?.writes.findLast(ofKey);
    return (waiting === undefined ? await this.get(key) : waiting.value) as StoredBatch | undefined;
  }

  queueEntry(queueIndex: number): Promise<StoredQueueEntry | undefined> {
    return this.get(storeKeys.queueEntry(queueIndex));
  }

  queueEntriesFrom(queueIndex: number): Promise<StoredQueueEntry[]> {
    const range = { gte: storeKeys.queueEntry(queueIndex), lt: underPrefix("queue").lt };
    return this.range({ ...range, limit: Number.POSITIVE_INFINITY });
  }

  finalPosition(): Promise<ChainPosition | undefined> {
    return this.get(storeKeys.finalPosition);
  }

  /**
   * The ledger as the last final batch left it, but for its next id.
   * @param depth of one without a file of leaves
   * @throws SRV_STORE_CORRUPT
   */
  async finalLedger(depth: number = TREE_DEPTH): Promise<Ledger> {
    const flat = (await this.#level.read(this.#leaves.read())) ?? new FlatLedger(depth);
    const records = this.#db.iterator({
      ...underPrefix("leaf"),
      fillCache: false,
      highWaterMarkBytes: 2 ** 20,
    });
    let leaves: FlatLeaf[] = [];
    for await (const [key, value] of this.#level.readEach(records)) {
      const id = leafIdOf(key)!;
      const { hash, state } = leafOf(id, value as StoredLeaf);
      this.#leaves.note({ key, value });
      leaves.push([id, state, hash]);
      if (leaves.length < LEAVES_AT_ONCE) continue;
      flat.fold(leaves);
      leaves = [];
    }
    flat.fold(leaves);
    return new Ledger(flat.depth, flat);
  }

  /** Keeps the file of all leaves young enough, beside the work. @param finalNumber of the last batch in the ledger's base */
  keepLeaves(ledger: Ledger, finalNumber: () => number): void {
    this.#leaves.keep(ledger.base, finalNumber);
    this.#beginLeafFile();
  }

  #beginLeafFile(): void {
    this.#leaves.next().catch((cause) => this.#fail(this.#level.failed("write", cause)));
  }

  /** What puts all leaves of a ledger into an empty store. @throws SRV_STORE_FAILED */
  leafWrites(ledger: Ledger): Promise<StoreWrite[]> {
    return this.#level.read(this.#leaves.writesOf(ledger));
  }
}
