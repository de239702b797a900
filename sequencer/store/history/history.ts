/**
 * Where final history goes once it is older than what the store keeps: segments, each the records of a range of batches and
 * an index of their names, as two files in the folder `history` that never change. What is in a segment leaves the
 * store only after both files are durable and the store names them with their hashes; so a kill at any moment leaves each
 * entry in at least one place, and the next start goes on where it ended. Files that somebody has taken away are fetched
 * from the places that were named, when one is asked for.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { CheckedLevel } from "@openledger/foundation/store/checked-level";
import { PART, syncFolder } from "@openledger/foundation/store/durable-file";
import {
  type KeyRange,
  mergeSorted,
  type Pair,
  SortedTable,
  SortedTableWriter,
  type TableIdentity,
} from "@openledger/foundation/store/sorted-table";
import { StoreDamage } from "@openledger/foundation/store/store-fault";
import { sequencerError } from "../../sequencer-errors.ts";
import type { ChainPosition, LogEntry, StoredQueueEntry } from "../log-entry.ts";
import { storeEncoding } from "../store-encoding.ts";
import { corrupt } from "../store-failure.ts";
import { storeKeys, underPrefix } from "../store-keys.ts";
import type { StoredBatch } from "../stored-batch.ts";
import { firstPlaceOf, type HistoryPlace, operationsUpTo, SegmentIndex } from "./history-index.ts";

export const HISTORY_FOLDER = "history";

/** Final operations that the store itself keeps by default: about 1.3 GB. */
export const HOT_OPERATIONS = 2_000_000;
/** Of a segment: so many, or this part of what stays. */
export const SEGMENT_OPERATIONS = 100_000;
const SEGMENT_PART = 20;

export interface HistoryOptions {
  /** Final operations that stay in the store; absent: nothing leaves it. */
  readonly hotOperations?: number;
  /** Of a segment, at least; the last batch of one may have more. */
  readonly segmentOperations?: number;
  /** Folders, and URLs of folders, that hold files of segments which are missing here. */
  readonly sources?: readonly string[];
  readonly onSegment?: (segment: StoredSegment) => void;
  /** A segment could not be written: its entries stay in the store, and it is tried again. Or a file of one is damaged. */
  readonly onSegmentFailed?: (error: unknown) => void;
  /** Called between the steps of the move: what is on the disk then is what a kill would leave. */
  readonly onStep?: (step: string) => Promise<void> | void;
}

/** Tells an operator what moves. */
export const historyNews = (logger: Logger): Pick<HistoryOptions, "onSegment" | "onSegmentFailed"> => ({
  onSegment: ({ number, records, to }) =>
    logger.info(
      { segment: number, upToBatch: to.batchNumber, byteCount: records.byteCount },
      "history moved",
    ),
  onSegmentFailed: (error) =>
    logger.error(
      { err: error, code: isRollupError(error) ? error.code : "SRV_STORE_FAILED" },
      "a segment of the history could not be written, or is damaged",
    ),
});

/** A range of batches that left the store. */
export interface StoredSegment {
  readonly number: number;
  /** Behind this place, up to that one. */
  readonly after: HistoryPlace;
  readonly to: HistoryPlace;
  readonly records: TableIdentity;
  readonly index: TableIdentity;
  /** Beginnings of the payments' keys that went with their settlement. */
  readonly epochs: readonly string[];
  /** Nothing of it is in the store any more. */
  readonly isPruned: boolean;
}

/** Indices of consecutive segments as one: a search by hash reads few files, however many segments there are. */
interface StoredIndex {
  /** 0: a segment's own. */
  readonly level: number;
  /** Numbers of segments, both included. */
  readonly from: number;
  readonly to: number;
  readonly table: TableIdentity;
}

/** So many indices of one level become one of the next. */
const MERGED = 16;
const MAX_LEVEL = 2;

type Sort = "records" | "index";
const ENDINGS = { records: "segment", index: "index" } as const;
export const SEGMENT_BLOCK_BYTES = { records: 2 ** 16, index: 2 ** 12 } as const;

/** Families of keys that begin with a number, in the order of the history; which of a place's numbers bounds them. */
const NUMBERED: Readonly<Record<string, readonly [Sort, (place: HistoryPlace) => number]>> = {
  batch: ["records", ({ batchNumber }) => batchNumber],
  "follow-preconfirmation": ["records", ({ opIndex }) => opIndex - 1],
  "l1-close": ["records", ({ batchNumber }) => batchNumber],
  log: ["records", ({ sequence }) => sequence],
  queue: ["records", ({ queueHead }) => queueHead - 1],
  "queue-sequence": ["index", ({ queueHead }) => queueHead - 1],
};
const familyOf = (key: string) => key.slice(0, key.indexOf("!"));
const numberIn = (key: string, family: string) => {
  const digits = key.slice(family.length + 1, family.length + 13);
  return digits === "" ? -1 : Number.parseInt(digits, 16);
};
const keyUpTo = (family: string, last: number) =>
  `${family}!${Math.max(0, last + 1)
    .toString(16)
    .padStart(12, "0")}`;

/** Pairs that are read, and keys that are deleted, between two turns of the event loop. */
const PAIRS_AT_ONCE = 500;
const BYTES_AT_ONCE = 2 ** 18;
const DELETED_AT_ONCE = 1_000;
const MAX_OPEN_TABLES = 48;
const FETCH_TIMEOUT_MS = 600_000;

class Stopped extends Error {}

export class History {
  readonly #level: CheckedLevel;
  readonly #folder: string;
  readonly #options: HistoryOptions;
  readonly #segments: StoredSegment[];
  readonly #merged: StoredIndex[];
  /** In the order of the segments, which they cover. */
  #indices: StoredIndex[] = [];
  #checkedPath = "";
  readonly #open = new Map<string, { table: Promise<SortedTable>; users: number }>();
  readonly #fetching = new Map<string, Promise<void>>();
  #isStopped = false;

  /** @throws SRV_STORE_CORRUPT where the store does not name its segments one after the other */
  static async load(level: CheckedLevel, options: HistoryOptions): Promise<History> {
    const range = underPrefix("segment");
    const segments = (await level.read(level.db.values(range).all())) as StoredSegment[];
    for (const [i, { after, number }] of segments.entries()) {
      const before = segments[i - 1]?.to ?? after;
      if (number !== i || before.batchNumber !== after.batchNumber || before.sequence !== after.sequence)
        throw corrupt(`segment ${i} of the history is missing in ${level.path}`, { segment: i });
    }
    const merged = (await level.read(level.db.values(underPrefix("segment-index")).all())) as StoredIndex[];
    return new History(level, segments, merged, options);
  }

  private constructor(
    level: CheckedLevel,
    segments: StoredSegment[],
    merged: StoredIndex[],
    options: HistoryOptions,
  ) {
    this.#level = level;
    this.#folder = join(level.path, HISTORY_FOLDER);
    this.#segments = segments;
    this.#merged = merged;
    this.#options = options;
    this.#cover();
  }

  #cover(): void {
    this.#indices = [];
    for (let from = 0; from < this.#segments.length; from = this.#indices.at(-1)!.to + 1) {
      const wide = this.#merged.filter((one) => one.from === from).sort((x, y) => y.level - x.level)[0];
      this.#indices.push(wide ?? { level: 0, from, to: from, table: this.#segments[from]!.index });
    }
  }

  get segments(): readonly StoredSegment[] {
    return this.#segments;
  }

  /** The last log entry that is in a segment; −1 where there is none. */
  get lastSequence(): number {
    return this.#segments.at(-1)?.to.sequence ?? -1;
  }

  // Reading

  /**
   * What the store and the segments hold of a range of keys, in order. Segments are read only once what is in the store does
   * not do. @throws SRV_STORE_CORRUPT, SEQ_HISTORY_MISSING
   */
  async *read(range: KeyRange & { readonly lt: string }, isReverse = false): AsyncGenerator<Pair> {
    const family = familyOf(range.lt.replace(/"$/, "!"));
    if (this.#segments.length === 0) yield* pairsOf(this.hot(range, isReverse));
    else if (NUMBERED[family] !== undefined) yield* this.#numbered(family, range, isReverse);
    else if (family === "payment") yield* pairsOf(this.#payments(range, isReverse));
    else if (family === "leaf-operation") yield* this.#ofLeaf(range, isReverse);
    else if (family === "operation" || family === "hash") {
      const cold = this.#indices.map((index) => this.#index(index, range, isReverse));
      yield* mergeSorted([this.hot(range, isReverse), ...cold], isReverse);
    } else yield* pairsOf(this.hot(range, isReverse));
  }

  /** A value that is no longer in the store. @throws SRV_STORE_CORRUPT, SEQ_HISTORY_MISSING */
  async get(key: string): Promise<Buffer | undefined> {
    const family = familyOf(key);
    const numbered = NUMBERED[family];
    if (numbered !== undefined) {
      const [sort, lastOf] = numbered;
      const number = numberIn(key, family);
      const isIn = ({ after, to }: StoredSegment) => number > lastOf(after) && number <= lastOf(to);
      return firstIn(this.#partsOf(sort, isIn), key);
    }
    if (family !== "operation" && family !== "hash") return undefined;
    return firstIn(
      [...this.#indices].reverse().map((one) => (range: KeyRange) => this.#index(one, range)),
      key,
    );
  }

  /** Readers of the files of some segments, oldest first. */
  #partsOf(
    sort: Sort,
    isMet: (segment: StoredSegment) => boolean,
  ): ((range: KeyRange, isReverse?: boolean) => AsyncGenerator<readonly Pair[]>)[] {
    const met = this.#segments.filter(isMet);
    if (sort === "records")
      return met.map((segment) => (range, isReverse) => this.#records(segment, range, isReverse));
    return this.#indices
      .filter(({ from, to }) => met.some(({ number }) => number >= from && number <= to))
      .map((one) => (range, isReverse) => this.#index(one, range, isReverse));
  }

  async *#numbered(
    family: string,
    range: KeyRange & { lt: string },
    isReverse: boolean,
  ): AsyncGenerator<Pair> {
    const [sort, lastOf] = NUMBERED[family]!;
    const [least, most] = [
      numberIn(range.gte ?? range.gt ?? `${family}!`, family),
      numberIn(range.lt, family),
    ];
    const end = range.lt.endsWith('"') && most === -1 ? Number.POSITIVE_INFINITY : most;
    const isMet = ({ after, to }: StoredSegment) => lastOf(to) >= least && lastOf(after) + 1 <= end;
    if (isReverse) {
      const met = this.#partsOf(sort, isMet).reverse();
      yield* pairsOf(this.hot(this.#behind(family, range), isReverse));
      for (const read of met) yield* pairsOf(read(range, isReverse));
      return;
    }
    // More may move while these are read.
    for (let done = 0; done < this.#segments.length; ) {
      const from = done;
      done = this.#segments.length;
      const start =
        from === 0 ? range : { ...range, gte: keyUpTo(family, lastOf(this.#segments[from - 1]!.to)) };
      for (const read of this.#partsOf(sort, (one) => one.number >= from && isMet(one)))
        yield* pairsOf(read(start));
    }
    yield* pairsOf(this.hot(this.#behind(family, range), isReverse));
  }

  /** What of a range is in no segment: the store may still hold what is. */
  #behind(family: string, range: KeyRange & { lt: string }): KeyRange {
    const first = keyUpTo(family, NUMBERED[family]![1](this.#segments.at(-1)!.to));
    return first > (range.gte ?? range.gt ?? "") ? { gte: first, lt: range.lt } : range;
  }

  /** An epoch's payments have left together, or not at all. */
  async *#payments(range: KeyRange, isReverse: boolean): AsyncGenerator<readonly Pair[]> {
    const start = range.gte ?? range.gt ?? "";
    const segment = this.#segments.find(({ epochs }) => epochs.some((epoch) => start.startsWith(epoch)));
    yield* segment === undefined ? this.hot(range, isReverse) : this.#records(segment, range, isReverse);
  }

  /** Of one leaf. In the store may be what is in the newest segments, too; all that is newer than these is only there. */
  async *#ofLeaf(range: KeyRange & { lt: string }, isReverse: boolean): AsyncGenerator<Pair> {
    const indices = isReverse ? [...this.#indices].reverse() : this.#indices;
    const cold = chained(indices.map((index) => () => this.#index(index, range, isReverse)));
    if (!isReverse) {
      yield* mergeSorted([this.hot(range), cold]);
      return;
    }
    const [, leaf] = range.lt.split("!");
    const bound = `${storeKeys.leafOperation(Number.parseInt(leaf!, 16), this.lastSequence)}"`;
    const older: Pair[][] = [];
    for await (const pairs of this.hot(range, isReverse)) {
      yield* pairs.filter(([key]) => key > bound);
      older.push(pairs.filter(([key]) => key <= bound));
    }
    yield* mergeSorted([older, cold], isReverse);
  }

  /** Of the store alone. */
  async *hot(range: KeyRange, isReverse = false): AsyncGenerator<readonly Pair[]> {
    const given = Object.fromEntries(Object.entries(range).filter(([, bound]) => bound !== undefined));
    const pairs = this.#level.db.iterator<string, Buffer>({
      ...{ ...given, reverse: isReverse, valueEncoding: "buffer" as const },
      highWaterMarkBytes: BYTES_AT_ONCE,
    });
    try {
      for (;;) {
        const some = await this.#level.read(pairs.nextv(PAIRS_AT_ONCE));
        if (some.length === 0) return;
        yield some;
      }
    } finally {
      await pairs.close();
    }
  }

  #records(segment: StoredSegment, range: KeyRange, isReverse = false): AsyncGenerator<readonly Pair[]> {
    return this.#table(this.pathOf(segment, "records"), segment.records, range, isReverse);
  }

  #index(index: StoredIndex, range: KeyRange, isReverse = false): AsyncGenerator<readonly Pair[]> {
    return this.#table(this.#indexPath(index), index.table, range, isReverse);
  }

  async *#table(
    path: string,
    identity: TableIdentity,
    range: KeyRange,
    isReverse = false,
  ): AsyncGenerator<readonly Pair[]> {
    try {
      const opened = this.#open.get(path) ?? { table: this.#openTable(path, identity), users: 0 };
      // The last one that was used is the last one to go.
      this.#open.delete(path);
      this.#open.set(path, opened);
      opened.users += 1;
      try {
        yield* (await opened.table).read(range, isReverse);
      } catch (error) {
        this.#open.delete(path);
        if (opened.users === 1) await opened.table.then((table) => table.close()).catch(() => {});
        throw error;
      } finally {
        opened.users -= 1;
        await this.#closeSome();
      }
    } catch (error) {
      throw error instanceof StoreDamage ? damaged(path, error) : error;
    }
  }

  pathOf({ number }: StoredSegment, sort: Sort): string {
    return join(this.#folder, `${number.toString().padStart(8, "0")}.${ENDINGS[sort]}`);
  }

  #indexPath({ from, to }: StoredIndex): string {
    const name = (number: number) => number.toString().padStart(8, "0");
    return join(this.#folder, `${from === to ? "" : `${name(from)}-`}${name(to)}.${ENDINGS.index}`);
  }

  async #openTable(path: string, identity: TableIdentity): Promise<SortedTable> {
    if (!existsSync(path)) await this.#fetch(path, identity);
    return SortedTable.open(path, identity);
  }

  async #closeSome(most = MAX_OPEN_TABLES): Promise<void> {
    for (const [path, { table, users }] of this.#open) {
      if (this.#open.size <= most) return;
      if (users > 0) continue;
      this.#open.delete(path);
      await table.then((opened) => opened.close()).catch(() => {});
    }
  }

  // Fetching

  #fetch(path: string, identity: TableIdentity): Promise<void> {
    const fetching =
      this.#fetching.get(path) ??
      this.#fetchNow(path, identity).finally(() => {
        this.#fetching.delete(path);
      });
    this.#fetching.set(path, fetching);
    return fetching;
  }

  /** @throws SEQ_HISTORY_MISSING */
  async #fetchNow(path: string, identity: TableIdentity): Promise<void> {
    const name = path.slice(this.#folder.length + 1);
    const { sources = [] } = this.#options;
    const tried: string[] = [];
    await mkdir(this.#folder, { recursive: true });
    for (const source of sources) {
      const reason = await copyChecked(source, name, path, identity).catch((error: Error) => error.message);
      if (reason === null) return;
      tried.push(`${source}: ${reason}`);
    }
    const asked = tried.length === 0 ? "no place was named to fetch it from" : tried.join("; ");
    throw sequencerError("SEQ_HISTORY_MISSING", `${path} is not there, and cannot be had: ${asked}`, {
      data: { path, sha256: identity.sha256, tried },
    });
  }

  // Moving

  /**
   * Moves the next range of batches out of the store, where one is final for long enough.
   * @returns whether there may be more
   * @throws errors of Node's file calls: nothing has left the store then; SRV_STORE_*
   */
  async moveNext(): Promise<boolean> {
    const { hotOperations, onSegment } = this.#options;
    if (hotOperations === undefined) return false;
    const ofHot = Math.ceil(hotOperations / SEGMENT_PART);
    const { segmentOperations = Math.min(SEGMENT_OPERATIONS, ofHot) } = this.#options;
    const unpruned = this.#segments.at(-1);
    if (unpruned?.isPruned === false) await this.#prune(unpruned);
    const db = this.#level.db;
    const final = (await this.#level.read(db.get(storeKeys.finalPosition))) as ChainPosition | undefined;
    if (final === undefined) return false;
    const after = this.#segments.at(-1)?.to ?? (await this.#firstPlace());
    if (after === null) return false;
    const finalCount = operationsUpTo(final);
    if (finalCount - operationsUpTo(after) < hotOperations + segmentOperations) return false;
    const to = await this.#endOf(after, final, segmentOperations);
    if (to === null || finalCount - operationsUpTo(to) < hotOperations) return false;
    await this.#sweep();
    const segment = await this.#write(after, to);
    await this.#prune(segment);
    onSegment?.(segment);
    await this.#merge();
    return true;
  }

  /** Takes away indices that were put together since: long enough ago that nobody reads them, or before a kill. */
  async #sweep(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const current = new Set(this.#indices.map((one) => this.#indexPath(one)));
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      if (/^\d{8}(-\d{8})?\.index$/.test(name) && !current.has(path)) await rm(path, { force: true });
    }
  }

  /** Puts indices together, the older of them first. */
  async #merge(): Promise<void> {
    const first = this.#indices.findIndex(({ from, level }, i) => {
      const run = this.#indices.slice(i, i + MERGED);
      return (
        level < MAX_LEVEL &&
        from % MERGED ** (level + 1) === 0 &&
        run.length === MERGED &&
        run.every((one) => one.level === level)
      );
    });
    if (first < 0) return;
    const parts = this.#indices.slice(first, first + MERGED);
    const { from, level } = parts[0]!;
    const { to } = parts.at(-1)!;
    const index = { level: level + 1, from, to };
    const path = this.#indexPath(index as StoredIndex);
    const table = await this.#writeTable(path, "index", () =>
      someOf(mergeSorted(parts.map((one) => this.#index(one, {})))),
    );
    await this.#step("index merged");
    const merged: StoredIndex = { ...index, table };
    const key = storeKeys.segmentIndex(merged.level, from);
    await this.#level.write([{ type: "put", key, value: merged }]);
    this.#merged.push(merged);
    this.#cover();
    await this.#step("merged index noted");
    await this.#merge();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
  }

  async close(): Promise<void> {
    await this.#closeSome(0);
  }

  async #step(name: string): Promise<void> {
    await nextTurn();
    if (this.#isStopped) throw new Stopped();
    await this.#options.onStep?.(name);
  }

  static isStopped(error: unknown): boolean {
    return error instanceof Stopped;
  }

  /** Of a store that has no segment: before the first batch that it knows. */
  async #firstPlace(): Promise<HistoryPlace | null> {
    const options = { ...underPrefix("batch"), limit: 1 };
    const [first] = (await this.#level.read(this.#level.db.values(options).all())) as StoredBatch[];
    return first === undefined ? null : firstPlaceOf(first);
  }

  /** After the first batch that makes the range long enough; null where none is final that does. */
  async #endOf(after: HistoryPlace, final: ChainPosition, operations: number): Promise<HistoryPlace | null> {
    const range = { gt: storeKeys.batch(after.batchNumber), lt: keyUpTo("batch", final.batchNumber) };
    for await (const pairs of this.hot(range))
      for (const [, value] of pairs) {
        const { position } = storeEncoding.decode(value) as StoredBatch;
        if (operationsUpTo(position) - operationsUpTo(after) < operations) continue;
        const { batchNumber, opIndex, queueHead, sequence } = position;
        return { batchNumber, opIndex, queueHead, sequence };
      }
    return null;
  }

  async #write(after: HistoryPlace, to: HistoryPlace): Promise<StoredSegment> {
    const number = this.#segments.length;
    const part = { number } as StoredSegment;
    const index = new SegmentIndex();
    const epochs = new Set<string>();
    const records = await this.#writeTable(this.pathOf(part, "records"), "records", () =>
      this.#leaving(to, index, epochs),
    );
    await this.#step("records written");
    const names = await this.#writeTable(this.pathOf(part, "index"), "index", () => index.sorted());
    await this.#step("index written");
    const segment = { number, after, to, records, index: names, epochs: [...epochs], isPruned: false };
    await this.#note(segment);
    this.#segments.push(segment);
    this.#cover();
    await this.#step("segment noted");
    return segment;
  }

  async #writeTable(
    path: string,
    sort: Sort,
    pairs: () => AsyncIterable<readonly Pair[]>,
  ): Promise<TableIdentity> {
    const writer = await SortedTableWriter.create(path, SEGMENT_BLOCK_BYTES[sort]);
    try {
      let isBegun = false;
      for await (const some of pairs()) {
        await writer.add(some);
        await (isBegun ? this.#pause() : this.#step(`${sort} begun`));
        isBegun = true;
      }
      return await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  async #pause(): Promise<void> {
    await nextTurn();
    if (this.#isStopped) throw new Stopped();
  }

  /** All that leaves with the range, in the order of the keys; the index is filled on the way. */
  async *#leaving(
    to: HistoryPlace,
    index: SegmentIndex,
    epochs: Set<string>,
  ): AsyncGenerator<readonly Pair[]> {
    const upTo = (family: string) =>
      this.hot({ gt: underPrefix(family).gt, lt: keyUpTo(family, NUMBERED[family]![1](to)) });
    const decoded = function* <Value>(pairs: readonly Pair[]): Generator<[string, Value]> {
      for (const [key, value] of pairs) yield [key, storeEncoding.decode(value) as Value];
    };
    for await (const pairs of upTo("batch")) {
      for (const [key, batch] of decoded<StoredBatch>(pairs)) index.addBatch(key, batch);
      yield pairs;
    }
    yield* upTo("follow-preconfirmation");
    yield* upTo("l1-close");
    for await (const pairs of upTo("log")) {
      for (const [key, entry] of decoded<LogEntry>(pairs)) {
        index.addEntry(numberIn(key, "log"), entry);
        // An activation settles no epoch.
        if (entry.type === "settlement" && entry.epoch > 0)
          epochs.add(storeKeys.payment(entry.operation.modelId, entry.epoch, 0).slice(0, -12));
      }
      yield pairs;
    }
    for (const epoch of [...epochs].sort()) yield* this.hot({ gte: epoch, lt: epoch.replace(/!$/, '"') });
    for await (const pairs of upTo("queue")) {
      for (const [key, entry] of decoded<StoredQueueEntry>(pairs)) index.addQueueEntry(key, entry);
      yield pairs;
    }
  }

  #note(segment: StoredSegment): Promise<void> {
    return this.#level.write([{ type: "put", key: storeKeys.segment(segment.number), value: segment }]);
  }

  /** Deletes from the store what is in a segment, as the files have it; and so reads both to their end. */
  async #prune(segment: StoredSegment): Promise<void> {
    for (const sort of ["records", "index"] as const) {
      let keys: string[] = [];
      const flush = async () => {
        await this.#level.write(keys.map((key) => ({ type: "del", key })));
        keys = [];
        await this.#step(`${sort} pruned in part`);
      };
      let count = 0;
      const path = this.pathOf(segment, sort);
      for await (const pairs of this.#table(path, segment[sort], {})) {
        count += pairs.length;
        for (const [key] of pairs) keys.push(key);
        if (keys.length >= DELETED_AT_ONCE) await flush();
        else await this.#pause();
      }
      if (keys.length > 0) await flush();
      if (count !== segment[sort].pairCount)
        throw damaged(path, new StoreDamage(path, `has ${count} entries`));
    }
    const pruned = { ...segment, isPruned: true };
    await this.#note(pruned);
    this.#segments[segment.number] = pruned;
    await this.#step("segment pruned");
    // LevelDB gives room back only where it compacts.
    const { db } = this.#level as unknown as {
      db: { compactRange(start: string, end: string): Promise<void> };
    };
    for (const family of ["batch", "follow-preconfirmation", "log"])
      await this.#level.read(
        db.compactRange(`${family}!`, keyUpTo(family, NUMBERED[family]![1](segment.to))),
      );
  }

  /** Every file that there is, with what was written of it. */
  get files(): { readonly path: string; readonly table: TableIdentity }[] {
    return [
      ...this.#segments.map((segment) => ({ path: this.pathOf(segment, "records"), table: segment.records })),
      ...this.#indices.map((index) => ({ path: this.#indexPath(index), table: index.table })),
    ].filter(({ path }) => existsSync(path));
  }

  /** Compares the next file, in turn, with what was written. @throws SRV_STORE_CORRUPT */
  async checkNext(): Promise<void> {
    const files = this.files.sort((x, y) => (x.path < y.path ? -1 : 1));
    const next = files.find(({ path }) => path > this.#checkedPath) ?? files[0];
    this.#checkedPath = next?.path ?? "";
    if (next === undefined) return;
    const hash = createHash("sha256");
    for await (const bytes of createReadStream(next.path)) {
      hash.update(bytes);
      await nextTurn();
    }
    if (hash.digest("hex") !== next.table.sha256)
      throw damaged(next.path, new StoreDamage(next.path, "is not what was written"));
  }
}

/** @returns null where it is there now, else why not */
async function copyChecked(
  source: string,
  name: string,
  path: string,
  { byteCount, sha256 }: TableIdentity,
): Promise<string | null> {
  const part = `${path}.fetched${PART}`;
  const hash = createHash("sha256");
  let length = 0;
  const file = await open(part, "w");
  try {
    for await (const bytes of await bytesOf(source, name)) {
      length += bytes.length;
      if (length > byteCount) return "it has more bytes than were written";
      hash.update(bytes);
      await file.appendFile(bytes);
    }
    if (length !== byteCount || hash.digest("hex") !== sha256) return "it is another file";
    await file.datasync();
    await rename(part, path);
    await syncFolder(join(path, ".."));
    return null;
  } finally {
    await file.close();
    await rm(part, { force: true });
  }
}

async function bytesOf(source: string, name: string): Promise<AsyncIterable<Buffer>> {
  if (!/^https?:\/\//i.test(source)) return createReadStream(join(source, name));
  const answer = await fetch(`${source.replace(/\/$/, "")}/${name}`, {
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (!answer.ok || answer.body === null) throw new Error(`HTTP ${answer.status}`);
  return Readable.fromWeb(answer.body as never);
}

/** The store itself is sound: only what asks for this history fails. */
function damaged(path: string, { cause, message }: StoreDamage) {
  const remedy = `Move ${path} away: it is then fetched from a place of SEQUENCER_HISTORY_SOURCES or --history, or put a copy of it there.`;
  return sequencerError("SRV_STORE_CORRUPT", `${message}. ${remedy}`, {
    data: { path, reason: message, remedy },
    cause,
  });
}

async function firstIn(
  readers: readonly ((range: KeyRange) => AsyncGenerator<readonly Pair[]>)[],
  key: string,
): Promise<Buffer | undefined> {
  for (const read of readers)
    for await (const pairs of read({ gte: key, lt: `${key}\0` })) return pairs[0]![1];
  return undefined;
}

async function* someOf(pairs: AsyncIterable<Pair>): AsyncGenerator<readonly Pair[]> {
  let some: Pair[] = [];
  for await (const pair of pairs) {
    if (some.push(pair) < PAIRS_AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

async function* pairsOf(batches: AsyncIterable<readonly Pair[]>): AsyncGenerator<Pair> {
  for await (const pairs of batches) yield* pairs;
}

async function* chained(
  sources: readonly (() => AsyncIterable<readonly Pair[]>)[],
): AsyncGenerator<readonly Pair[]> {
  for (const source of sources) yield* source();
}
