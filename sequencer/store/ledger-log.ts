/**
 * The sequencer's durable store, and a full node's: an ordered log of everything executed, and the records derived from it, in
 * LevelDB.
 *
 * Everything is written through one queue. Writes that arrive while another is on its way to the disk go out
 * together in the next atomic, synced write: they share one fsync, and a later write is never durable before an
 * earlier one. A write that fails ends the process: memory is ahead of the disk then, and only a replay mends that.
 */

import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { type FlatLeaf, FlatLedger, Ledger } from "@openledger/circuits/ledger/ledger";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { CheckedLevel, type LevelDb } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { sequencerError } from "../sequencer-errors.ts";
import { DurableMark } from "./durable-mark.ts";
import { type IndexedQueueEntry, type ListedQueueEntry, queueIndexWrites } from "./executed-queue.ts";
import { FinalLeaves } from "./final-leaves.ts";
import { type StoredTarget, settlementWrites, transactionWrites } from "./hash-index.ts";
import { leafOf, type StoredLeaf } from "./leaf-value.ts";
import type {
  ChainPosition,
  ExecutedEntry,
  LogEntry,
  OperationEntry,
  StoredQueueEntry,
} from "./log-entry.ts";
import { operationIndex } from "./operation-index.ts";
import { Pruning, type PruningOptions } from "./pruning.ts";
import { checkedBody, storeEncoding } from "./store-encoding.ts";
import { corrupt, STORE_REMEDIES, type StoreOwner, storeKindOf, wrongDirectory } from "./store-failure.ts";
import { leafIdOf, ofHashes, type StoreWrite, storeKeys, underPrefix } from "./store-keys.ts";
import type { StoredBatch } from "./stored-batch.ts";

export type LeafOperation = OperationEntry | ListedQueueEntry;

/** Operations of a leaf, as many as were asked for. */
export interface LeafOperations<Entry = LeafOperation> {
  /** Newest first. */
  readonly operations: readonly Entry[];
  /** True where older ones may be here. */
  readonly hasOlder: boolean;
  /** True where nothing of the leaf is older than these. False where there may be more: here, or pruned. */
  readonly isComplete: boolean;
}

/** Leaves as a batch leaves them, and their hashes. */
export type LeafChanges = readonly (readonly [id: number, record: LeafState, hash: bigint])[];

type Pair = readonly [key: string, value: unknown];

interface KeyRange {
  readonly gte?: string | undefined;
  readonly gt?: string | undefined;
  readonly lt: string;
}

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
  // Callers that do not wait for durability learn of a failure through `onFailure`.
  promise.catch(() => {});
  return { writes: [], promise, resolve, reject };
};

/** Maximum entries that one `executedBefore` reads: a batch without operations has two. */
const MAX_ENTRIES_READ = 2_000;

/**
 * Milliseconds between checks of the tables that LevelDB has made since: a start has to read at most the tables of this
 * time.
 */
const CHECK_EVERY_MS = 60_000;

/** Milliseconds until pruning that the disk refused is tried again. */
const PRUNE_AGAIN_MS = 60_000;

/** Pairs that one read of a range takes from LevelDB, and the bytes that it stops at. */
const PAIRS_PER_READ = 100;
const BYTES_PER_READ = 2 ** 18;

/** Leaves that are put into memory at a time. */
const LEAVES_AT_ONCE = 4_096;

export class LedgerLog {
  readonly #level: CheckedLevel;
  readonly #db: LevelDb;
  readonly #onFailure: (error: Error) => void;
  #nextSequence: number;
  /** Sequence of the last entry once all pending writes are done. */
  #lastWritten: number;
  /** The mark is lowered to this before the next write; null: it stays. */
  #lowerTo: number | null = null;
  #pending = newPendingWrite();
  /** Write on its way to the disk. */
  #current: PendingWrite | null = null;
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;

  readonly #leaves: FinalLeaves;
  readonly #mark: DurableMark;
  readonly #checkTimer: NodeJS.Timeout;
  #checking: Promise<void> | null = null;
  #isClosing = false;
  readonly #pruning: Pruning;
  /** `prunedBeforeMs` of a pruned batch. */
  #prunedBefore: { readonly batchNumber: number; readonly atMs: number } | null = null;
  readonly #onPruningFailed: ((error: unknown) => void) | undefined;
  #pruningRun: Promise<void> | null = null;
  #pruningFailedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    level: CheckedLevel,
    mark: DurableMark,
    nextSequence: number,
    onFailure: (error: Error) => void,
    pruning: { readonly pruning: Pruning; readonly onFailed: PruningOptions["onFailed"] },
  ) {
    this.#pruning = pruning.pruning;
    this.#onPruningFailed = pruning.onFailed;
    this.#level = level;
    this.#db = level.db;
    this.#mark = mark;
    this.#nextSequence = nextSequence;
    this.#lastWritten = nextSequence - 1;
    this.#onFailure = onFailure;
    this.#leaves = new FinalLeaves({
      path: level.path,
      get: (key) => this.get(key),
      write: (writes) => this.write(writes),
    });
    this.#checkTimer = setInterval(() => void this.checkTables(), CHECK_EVERY_MS).unref();
  }

  /** Result of the check that the start made before anything else. */
  get check() {
    return this.#level.check;
  }

  /**
   * @param rollup whose ledger is in the directory, or will be
   * @param onFailure called once, when a write failed or damage was met
   * @param options.pruning how much final history stays in the store; all of it by default
   * @param options.owner whose directory it is: "sequencer" by default; remedies differ
   * @throws SEQ_WRONG_DIRECTORY for another rollup's directory, or another kind's; SRV_STORE_FORMAT for another version's;
   * SRV_STORE_LOCKED, SRV_STORE_FAILED; SRV_STORE_CORRUPT where files are damaged or missing, or entries are gone that were
   * durable
   */
  static async open(
    path: string,
    { chainId, deployedIn, rollupAddress }: StoreRollup,
    onFailure: (error: Error) => void = () => {},
    options: { owner?: StoreOwner; pruning?: PruningOptions } = {},
  ): Promise<LedgerLog> {
    const { owner = "sequencer", pruning: pruningOptions = { retention: null } } = options;
    let log: LedgerLog | null = null;
    const level = await CheckedLevel.open(path, {
      identity: { kind: storeKindOf(owner), rollup: { chainId, rollupAddress, deployedIn } },
      raiseWrongDirectory: wrongDirectory,
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
      const pruning = await Pruning.load(level, pruningOptions);
      const lastSequence = last === undefined ? -1 : Number.parseInt(last.slice("log!".length), 16);
      const nextSequence = Math.max(lastSequence, pruning.prunedTo?.sequence ?? -1) + 1;
      if (lastDurable >= nextSequence) {
        throw corrupt(
          `the log in ${path} ends at ${nextSequence - 1}, and ${lastDurable} was durable`,
          { path, lastSequence: nextSequence - 1, durableSequence: lastDurable },
          owner,
        );
      }
      const { onFailed } = pruningOptions;
      log = new LedgerLog(level, mark, nextSequence, onFailure, { pruning, onFailed });
      log.#prune();
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
      this.#lastWritten = sequence;
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
   * Ends the log at a sequence. Call it together with a write that deletes every entry behind `sequence`, before their
   * replacements are added: there may be none, and the log then ends before its former durable end.
   */
  endAt(sequence: number): void {
    this.#lastWritten = sequence;
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
      // Writes of the same turn of the event loop share one write.
      await new Promise((resolve) => setImmediate(resolve));
      while (this.#pending.writes.length > 0) {
        const current = this.#pending;
        this.#current = current;
        this.#pending = newPendingWrite();
        const lastWritten = this.#lastWritten;
        const lowerTo = this.#lowerTo;
        this.#lowerTo = null;
        try {
          if (lowerTo !== null) this.#mark.lower(lowerTo);
          await this.#level.write(
            current.writes.map(({ key, value }) =>
              value === undefined ? { type: "del" as const, key } : { type: "put" as const, key, value },
            ),
          );
          if (lastWritten >= 0) this.#mark.write(lastWritten);
          if (current.writes.some(({ key }) => key === storeKeys.finalPosition)) this.#prune();
          current.resolve();
        } catch (cause) {
          // The mark's own failures are reported like the store's.
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

  /** Deletes history beyond the retention, beside the work. */
  #prune(): void {
    if (this.#pruningRun !== null || this.#isClosing || this.#failure !== null) return;
    if (performance.now() - this.#pruningFailedAtMs < PRUNE_AGAIN_MS) return;
    const run = async () => {
      while (await this.#pruning.next());
    };
    this.#pruningRun = run()
      .catch((error: unknown) => {
        this.#pruningFailedAtMs = performance.now();
        this.#onPruningFailed?.(error);
      })
      .finally(() => {
        this.#pruningRun = null;
      });
  }

  /** Resolves when nothing is being pruned. */
  async pruned(): Promise<void> {
    while (this.#pruningRun !== null) await this.#pruningRun;
  }

  /** The last batch that is not in the store any more; null where all history is. */
  get prunedTo(): ChainPosition | null {
    return this.#pruning.prunedTo;
  }

  /** Time before which all was executed that is pruned, in Unix milliseconds; null where all history is here. */
  async prunedBeforeMs(): Promise<number | null> {
    const { prunedTo } = this;
    if (prunedTo === null) return null;
    const { batchNumber } = prunedTo;
    if (this.#prunedBefore?.batchNumber !== batchNumber) {
      // The batch behind the pruned ones was closed after all that is in them.
      const next = await this.storedBatch(batchNumber + 1);
      // Pruned in the meantime: there is a later one.
      if (next === undefined) return this.prunedTo === prunedTo ? Date.now() : this.prunedBeforeMs();
      this.#prunedBefore = { batchNumber, atMs: next.closedAtMs };
    }
    return this.#prunedBefore!.atMs;
  }

  /** Error for an answer that needs pruned history. @param what names the requested thing */
  prunedError(what: string, data: object = {}): RollupError {
    return this.#pruning.error(what, data);
  }

  /** A round of the check beside the work; damage ends everything as a failed write does. */
  checkTables(): Promise<void> {
    // `onFailure` was called with a failure.
    this.#checking ??= this.#level
      .checkTables(() => this.#isClosing)
      .catch(() => {})
      .finally(() => {
        this.#checking = null;
      });
    return this.#checking;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#checkTimer);
    this.#pruning.stop();
    await Promise.all([this.#checking, this.#pruningRun]);
    await this.#leaves.close();
    if (this.#failure === null) await this.flushed();
    this.#mark.close();
    await this.#level.close();
  }

  /** Entries from a sequence on, in order. @throws SEQ_HISTORY_PRUNED */
  async *entries(
    fromSequence: number,
    toSequence = Number.MAX_SAFE_INTEGER,
  ): AsyncGenerator<[sequence: number, entry: LogEntry]> {
    const range = { gte: storeKeys.log(fromSequence), lt: underPrefix("log").lt };
    this.#requireEntry(fromSequence);
    for await (const [key, value] of this.#read(range)) {
      const sequence = Number.parseInt(key.slice("log!".length), 16);
      if (sequence > toSequence) return;
      yield [sequence, value as LogEntry];
    }
  }

  /**
   * Entries that took a slot before a sequence, newest first.
   * @returns nextBefore: where to go on; null where there is nothing older
   * @throws SEQ_HISTORY_PRUNED where all that is older is pruned
   */
  async executedBefore(
    beforeSequence: number,
    limit: number,
  ): Promise<{ found: [sequence: number, entry: ExecutedEntry][]; nextBefore: number | null }> {
    const { prunedTo } = this;
    const range = { gte: storeKeys.log((prunedTo?.sequence ?? -1) + 1), lt: storeKeys.log(beforeSequence) };
    const found: [number, ExecutedEntry][] = [];
    let readCount = 0;
    let oldest = beforeSequence;
    for await (const [key, value] of this.#read(range, true)) {
      const entry = value as LogEntry;
      const isExecuted = entry.type !== "opened" && entry.type !== "closed";
      if (isExecuted && found.length === limit) return { found, nextBefore: oldest };
      oldest = Number.parseInt(key.slice("log!".length), 16);
      readCount += 1;
      if (isExecuted) found.push([oldest, entry]);
      if (readCount === MAX_ENTRIES_READ) return { found, nextBefore: oldest };
    }
    if (prunedTo === null) return { found, nextBefore: null };
    if (found.length === 0) throw this.prunedError("what was executed before", { before: beforeSequence });
    return { found, nextBefore: oldest };
  }

  /** Operations by their hash, as far as `max` of those with this beginning go. */
  async operationHashes(start: string, max: number): Promise<string[]> {
    const found = await this.#firstOf({ ...ofHashes("operation", start), limit: max });
    return found.map(([key]) => key.slice("operation!".length));
  }

  /** Other targets that hashes with this beginning have named; they may be outdated. */
  async hashTargets(start: string, max: number): Promise<(StoredTarget & { readonly hash: string })[]> {
    const found = await this.#firstOf({ ...ofHashes("hash", start), limit: max });
    return found.map(([key, value]) => ({ hash: key.split("!")[1]!, ...(value as StoredTarget) }));
  }

  async get<T>(key: string): Promise<T | undefined> {
    return (await this.#level.read(this.#db.get(key))) as T | undefined;
  }

  /** Values of the keys in a range, in key order. */
  async range<T>(range: KeyRange & { limit: number; reverse?: boolean }): Promise<T[]> {
    return (await this.#firstOf(range)).map(([, value]) => value as T);
  }

  async #firstOf(range: KeyRange & { limit: number; reverse?: boolean }): Promise<Pair[]> {
    const { limit, reverse = false, ...bounds } = range;
    const found: Pair[] = [];
    if (limit <= 0) return found;
    for await (const pair of this.#read(bounds, reverse, limit)) if (found.push(pair) === limit) break;
    return found;
  }

  /** @param limit that the caller stops at */
  async *#read(range: KeyRange, reverse = false, limit = PAIRS_PER_READ): AsyncGenerator<Pair> {
    const input = Object.fromEntries(Object.entries(range).filter(([, bound]) => bound !== undefined));
    const pairs = this.#db.iterator({ ...input, reverse, highWaterMarkBytes: BYTES_PER_READ });
    try {
      for (;;) {
        const some = await this.#level.read(pairs.nextv(Math.min(limit, PAIRS_PER_READ)));
        if (some.length === 0) return;
        yield* some;
      }
    } finally {
      await pairs.close();
    }
  }

  /** Keys of a range with their values, in key order. */
  async *each<T>(range: { gt: string; lt: string }): AsyncGenerator<[key: string, value: T]> {
    for await (const [key, value] of this.#read(range)) yield [key, value as T];
  }

  /** Reads a range like `each`, all at once. */
  async keyed<T>(range: { gt: string; lt: string }): Promise<[key: string, value: T][]> {
    return (await this.#level.read(this.#db.iterator(range).all())) as [string, T][];
  }

  /** A value that must be there, since the log says so. @throws SEQ_STORE_INCONSISTENT */
  async require<T>(key: string): Promise<T> {
    const value = await this.get<T>(key);
    if (value === undefined)
      throw sequencerError("SEQ_STORE_INCONSISTENT", `the data directory lacks ${key}`, { data: { key } });
    return value;
  }

  #requireEntry(sequence: number): void {
    if (sequence <= (this.prunedTo?.sequence ?? -1))
      throw this.prunedError(`entry ${sequence} of the log`, { sequence });
  }

  /** An entry that the index names. @throws SEQ_HISTORY_PRUNED, SEQ_STORE_INCONSISTENT */
  async entry<T extends LogEntry>(sequence: number): Promise<T> {
    this.#requireEntry(sequence);
    const entry = await this.get<T>(storeKeys.log(sequence));
    if (entry !== undefined) return entry;
    // It may have been pruned meanwhile.
    this.#requireEntry(sequence);
    return this.require<T>(storeKeys.log(sequence));
  }

  /** @throws SEQ_HISTORY_PRUNED */
  async operation(hash: string): Promise<OperationEntry | undefined> {
    const sequence = await this.get<number>(storeKeys.operation(hash));
    return sequence === undefined ? undefined : this.entry<OperationEntry>(sequence);
  }

  /**
   * Operations and executed queue entries in which a leaf is A, B or was created, newest first in the ledger's order.
   * @param before the hash of an operation, or an entry's index in the queue: those older than it
   * @throws SEQ_UNKNOWN where `before` is nobody's; SEQ_HISTORY_PRUNED where all that is older is pruned
   */
  async operationsOf(leafId: number, limit: number, before?: string | number): Promise<LeafOperations> {
    const prefix = storeKeys.leafOperation(leafId, 0).slice(0, -"!000000000000".length);
    const range = underPrefix(prefix);
    if (before !== undefined) {
      const isEntry = typeof before === "number";
      const sequence = await this.get<number>(
        isEntry ? storeKeys.queueSequence(before) : storeKeys.operation(before),
      );
      const { prunedTo } = this;
      if (
        prunedTo !== null &&
        (isEntry ? before < prunedTo.queueHead : sequence !== undefined && sequence <= prunedTo.sequence)
      )
        throw await this.#prunedOf(leafId, before);
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
    const listed = await Promise.all(found.map((one) => this.#listed(one)));
    const existing = listed.filter((one) => one !== null);
    const hasOlder = found.length >= limit && existing.length > 0;
    // Each leaf below that id was made by one of the pruned entries.
    const isCut = leafId < (this.prunedTo?.nextId ?? 0);
    if (existing.length === 0 && limit > 0 && isCut) throw await this.#prunedOf(leafId, before);
    return { operations: existing, hasOlder, isComplete: !hasOlder && !isCut };
  }

  async #prunedOf(leafId: number, before: string | number | undefined): Promise<RollupError> {
    const data = { leafId, before: before ?? null, prunedBeforeMs: await this.prunedBeforeMs() };
    return this.prunedError(`what leaf ${leafId} did before`, data);
  }

  /** Reads a listed operation; null where it is pruned, or is being pruned. */
  async #listed(one: number | IndexedQueueEntry): Promise<LeafOperation | null> {
    if (typeof one === "number")
      return this.entry<OperationEntry>(one).catch((error: unknown) => {
        if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return null;
        throw error;
      });
    const record = await this.get<StoredQueueEntry>(storeKeys.queueEntry(one.queueIndex));
    if (one.queueIndex < (this.prunedTo?.queueHead ?? 0)) return null;
    return {
      type: "queue",
      record: record ?? (await this.require(storeKeys.queueEntry(one.queueIndex))),
      ...one,
    };
  }

  /**
   * The record as it was last written, durable or not. `BatchRegistry` forgets a batch as it becomes final, and a reader
   * at that moment must not get an older record.
   * @throws SEQ_HISTORY_PRUNED
   */
  async batch(batchNumber: number): Promise<StoredBatch | undefined> {
    const key = storeKeys.batch(batchNumber);
    const ofKey = (write: StoreWrite) => write.key === key;
    const waiting = this.#pending.writes.findLast(ofKey) ?? this.#current?.writes.findLast(ofKey);
    const record = waiting === undefined ? await this.get(key) : waiting.value;
    if (batchNumber >= 1 && batchNumber <= (this.prunedTo?.batchNumber ?? 0))
      throw this.prunedError(`batch ${batchNumber}`, { batchNumber });
    return record as StoredBatch | undefined;
  }

  /** Reads a batch like `batch`; returns undefined where it is pruned. */
  async storedBatch(batchNumber: number): Promise<StoredBatch | undefined> {
    return this.batch(batchNumber).catch((error: unknown) => {
      if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return undefined;
      throw error;
    });
  }

  /** @throws SEQ_HISTORY_PRUNED */
  async queueEntry(queueIndex: number): Promise<StoredQueueEntry | undefined> {
    const entry = await this.get<StoredQueueEntry>(storeKeys.queueEntry(queueIndex));
    if (queueIndex < (this.prunedTo?.queueHead ?? 0))
      throw this.prunedError(`queue entry ${queueIndex}`, { queueIndex });
    return entry;
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

  /** Writes that put all leaves of a ledger into an empty store. @throws SRV_STORE_FAILED */
  leafWrites(ledger: Ledger): Promise<StoreWrite[]> {
    return this.#level.read(this.#leaves.writesOf(ledger));
  }
}
