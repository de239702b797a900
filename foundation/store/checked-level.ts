/**
 * Opens LevelDB for every process that stores data, with the checks that LevelDB lacks: it opens its owner's folder alone
 * (store-identity.ts); it opens with all that was ever acknowledged, or not at all; every failure has a code, and a remedy of
 * its owner's; and after a failed write it takes nothing more, since LevelDB would go on behind what is missing. Only one
 * process can have a store open.
 */
import { existsSync, statSync } from "node:fs";
import { type BatchOperation, Level } from "level";
import { processErrors } from "../error-table.ts";
import { isRollupError, type RollupError } from "../rollup-error.ts";
import { CheckedTables } from "./checked-tables.ts";
import { checkStructure, checkTables, checkTablesInUse, type TableCheck } from "./level-files.ts";
import type { CheckValue } from "./level-table.ts";
import { reasonOf, StoreDamage, type StoreFault, storeFaultOf } from "./store-fault.ts";
import { claimStore, type RaiseWrongDirectory, type StoreIdentity } from "./store-identity.ts";
import { WriteMark } from "./write-mark.ts";

export type LevelDb = Level<string, unknown>;
export type LevelWrite = BatchOperation<LevelDb, string, unknown>;

export interface CheckedLevelOptions {
  /**
   * Identity of the folder: written into a new one, and compared with that of an existing one before anything
   * is changed.
   */
  readonly identity: StoreIdentity;
  /** The owner's own error for another rollup's folder, or another kind's; SRV_WRONG_DIRECTORY without it. */
  readonly raiseWrongDirectory?: RaiseWrongDirectory;
  /** Encoding of values. It carries a checksum. */
  readonly valueEncoding: object;
  /** Remedies of the store's owner for each fault. */
  readonly remedies: Readonly<Record<StoreFault, string>>;
  /** Called once, with the error of a write that failed, or of damage that was met while reading. */
  readonly onFailure?: (error: RollupError) => void;
  /**
   * Throws if a stored value is not as it was encoded. Called for each value that a start, or a round, reads.
   */
  readonly checkValue?: CheckValue;
}

const CODES = {
  locked: "SRV_STORE_LOCKED",
  corrupt: "SRV_STORE_CORRUPT",
  failed: "SRV_STORE_FAILED",
} as const;

/**
 * Memory through which writes go into a table. With LevelDB's own 4 MiB, merging took 8 % of a busy
 * sequencer's computing.
 */
const WRITE_BUFFER_BYTES = 16 * 2 ** 20;
/** Key of the number of writes, which is part of each write. */
const COUNT_KEY = "write-count";

export class CheckedLevel {
  readonly path: string;
  readonly db: LevelDb;
  /** Result of the check at the start. */
  readonly check: TableCheck;
  readonly #checked: CheckedTables;
  readonly #options: CheckedLevelOptions;
  readonly #mark: WriteMark;
  #writeCount: number;
  #failure: RollupError | null = null;
  #isClosed = false;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(
    path: string,
    db: LevelDb,
    options: CheckedLevelOptions,
    found: { check: TableCheck; checked: CheckedTables; mark: WriteMark; writeCount: number },
  ) {
    this.path = path;
    this.db = db;
    this.#options = options;
    this.check = found.check;
    this.#checked = found.checked;
    this.#mark = found.mark;
    this.#writeCount = found.writeCount;
  }

  /**
   * Makes the store where there is none.
   * @throws what `claimStore` throws, before anything is written; the owner's error, and nothing that is readable is lost then
   */
  static async open(path: string, options: CheckedLevelOptions): Promise<CheckedLevel> {
    let db: LevelDb | null = null;
    try {
      if (existsSync(path) && !statSync(path).isDirectory()) throw new Error(`${path} is no folder`);
      claimStore(path, options.identity, options.raiseWrongDirectory);
      await requireUnlocked(path);
      const checked = new CheckedTables(path);
      const structure = checkStructure(path, options.checkValue);
      const check = await checkTables(path, structure, checked, options.checkValue);
      const mark = new WriteMark(path);
      const durableCount = mark.read();
      if (structure === null && durableCount > 0)
        throw new StoreDamage(path, `is empty, and ${durableCount} writes were durable`);
      // It opens by itself as soon as it is made.
      db = new Level<string, unknown>(path, {
        valueEncoding: options.valueEncoding as never,
        writeBufferSize: WRITE_BUFFER_BYTES,
      });
      await db.open();
      const writeCount = ((await db.get(COUNT_KEY)) as number | undefined) ?? 0;
      if (!Number.isSafeInteger(writeCount) || writeCount < durableCount)
        throw new StoreDamage(path, `ends at write ${writeCount}, and ${durableCount} were durable`);
      // The mark is there for good before the second write. Without it nobody knows whether the end is.
      if (durableCount === 0 && writeCount > 1)
        throw new StoreDamage(path, `has ${writeCount} writes or more: its file DURABLE-WRITES is missing`);
      return new CheckedLevel(path, db, options, { check, checked, mark, writeCount });
    } catch (cause) {
      await db?.close().catch(() => {});
      if (isRollupError(cause)) throw cause;
      // A process that has it open changes the files that we looked at.
      const fault =
        (await requireUnlocked(path).then(
          () => null,
          (error: unknown) => (storeFaultOf(error) === "locked" ? error : null),
        )) ?? cause;
      throw errorOf(path, "open", fault, options.remedies);
    }
  }

  /** Awaits an answer of the store. @throws the owner's error; damage is reported to `onFailure` too */
  async read<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      throw this.failed("read", cause);
    }
  }

  /** Follows `read` for every entry. */
  async *readEach<T>(entries: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = entries[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.read(iterator.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Writes all or nothing, durable when it resolves, in the order of the calls. @throws the owner's error */
  write(writes: readonly LevelWrite[]): Promise<void> {
    const written = this.#writing.then(() => this.#writeNow(writes));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #writeNow(writes: readonly LevelWrite[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    try {
      const count = this.#writeCount + 1;
      // Half the time of an array.
      const batch = this.db.batch();
      for (const write of writes) {
        const { sublevel = null } = write;
        const options = sublevel === null ? {} : { sublevel };
        if (write.type === "del") batch.del(write.key, options);
        else batch.put(write.key, write.value, options);
      }
      await batch.put(COUNT_KEY, count).write({ sync: true });
      this.#writeCount = count;
      this.#mark.write(count);
    } catch (cause) {
      throw this.failed("write", cause);
    }
  }

  /** A round while the store is in use: reads the tables that are new, and an old one. @throws the owner's error */
  async checkTables(isCancelled: () => boolean): Promise<void> {
    const { checkValue } = this.#options;
    await this.read(checkTablesInUse(this.path, this.#checked, { checkValue, isCancelled }));
  }

  /** @throws the owner's error */
  async close(): Promise<void> {
    await this.#writing;
    this.#isClosed = true;
    try {
      this.#mark.close();
      await this.db.close();
    } catch (cause) {
      throw this.failed("close", cause);
    }
  }

  /**
   * Makes the owner's error for a failure of this store, or of a file beside it. The store accepts no more
   * writes.
   */
  failed(doing: string, cause: unknown): RollupError {
    if (this.#failure !== null) return this.#failure;
    const error = errorOf(this.path, doing, cause, this.#options.remedies);
    // A caller that asks after the store was closed gets an error, but the store itself has not failed.
    if (this.#isClosed) return error;
    this.#failure = error;
    this.#options.onFailure?.(error);
    return error;
  }
}

/**
 * Checks that no other process has the store open. LevelDB checks the lock first; with `errorIfExists` it
 * then leaves the files alone.
 */
async function requireUnlocked(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const probe = new Level(path, { createIfMissing: false, errorIfExists: true });
  try {
    await probe.open();
    await probe.close();
  } catch (error) {
    if (!/error_if_exists is true|create_if_missing is false/.test(reasonOf(error))) throw error;
  }
}

function errorOf(
  path: string,
  doing: string,
  cause: unknown,
  remedies: CheckedLevelOptions["remedies"],
): RollupError {
  const reason = reasonOf(cause);
  const fault = storeFaultOf(cause);
  const remedy = remedies[fault];
  return processErrors.raise(CODES[fault], `cannot ${doing} the store ${path}: ${reason}. ${remedy}`, {
    data: { path, reason, remedy },
    cause,
  });
}
