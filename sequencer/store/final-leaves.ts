/**
 * Store of the leaves (accounts, Datanets, models) as the last final batch left them, from which a start loads the ledger: a
 * file of all (leaf-file.ts), and a record in LevelDB of each that changed since the file was begun. A record is always the
 * newest state of its leaf, so records over any file that counted are the final leaves, at whatever moment a process is killed.
 *
 * A file is written beside the work, while batches become final. It counts once LevelDB names it, and is named once all
 * batches whose leaves may be in it are final in LevelDB, too. Until then the one before it counts; afterwards that is
 * deleted, and so are records of leaves that have not changed since the new one was begun.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { FlatLedger, Ledger } from "@openledger/circuits/ledger/ledger";
import { LEAF_FILE_NAME, type LeafFile, leafFileName, readLeafFile, writeLeafFile } from "./leaf-file.ts";
import { leafWrites } from "./leaf-value.ts";
import type { ChainPosition } from "./log-entry.ts";
import { leafIdOf, type StoreWrite, storeKeys } from "./store-keys.ts";

/** Records that a start may have to read, and to hash the paths of: a new file is begun once there are more. */
const RECORDS_PER_FILE = 32_768;
/** Records that are deleted in one write. */
const DELETES_AT_ONCE = 4_096;
/** Milliseconds of pause after each chunk: two thirds of the main thread's time stay with the work. */
const PAUSE_MS = 2;
/** Milliseconds between two checks that the batches in the file are final in LevelDB. */
const WAIT_MS = 20;

/** Part of the log that this class uses. */
interface FinalLeavesLog {
  readonly path: string;
  get<T>(key: string): Promise<T | undefined>;
  write(writes: readonly StoreWrite[]): Promise<void>;
}

/** Ledger whose files are written, with the number of its last batch. */
interface LedgerSource {
  readonly flat: FlatLedger;
  readonly finalNumber: () => number;
}

export class FinalLeaves {
  readonly #log: FinalLeavesLog;
  /** Leaves with a record in LevelDB, or on its way there. */
  #recorded = new Set<number>();
  #source: LedgerSource | null = null;
  #writing: Promise<void> | null = null;
  #isClosing = false;

  constructor(log: FinalLeavesLog) {
    this.#log = log;
  }

  /** The file's leaves; null where there is none yet. @throws StoreDamage */
  async read(): Promise<FlatLedger | null> {
    const known = await this.#log.get<LeafFile>(storeKeys.leafFile);
    return known === undefined ? null : readLeafFile(this.#log.path, known);
  }

  /** Notes a record. Call it with every record that is read from LevelDB or written to it. */
  note({ key, value }: StoreWrite): void {
    const id = value === undefined ? null : leafIdOf(key);
    if (id !== null) this.#recorded.add(id);
  }

  /**
   * Writes files of a ledger's final leaves from now on, where there are too many records.
   * @param finalNumber of the last batch that was folded into it
   */
  keep(flat: FlatLedger, finalNumber: () => number): void {
    this.#source = { flat, finalNumber };
  }

  /** Begins a file if it is due. @throws the disk's errors, StoreDamage */
  async next(recordsPerFile = RECORDS_PER_FILE): Promise<void> {
    if (this.#source === null || this.#writing !== null || this.#recorded.size < recordsPerFile) return;
    this.#writing = this.#write(this.#source);
    await this.#writing.finally(() => {
      this.#writing = null;
    });
  }

  async #write({ finalNumber, flat }: LedgerSource): Promise<void> {
    const covered = this.#recorded;
    this.#recorded = new Set();
    const options = { pauseMs: PAUSE_MS, isCancelled: () => this.#isClosing };
    const file = await this.#writeFile(flat, options);
    const newest = finalNumber();
    while (file !== null && !this.#isClosing) {
      const final = await this.#log.get<ChainPosition>(storeKeys.finalPosition);
      if (final!.batchNumber >= newest) break;
      await pause(WAIT_MS);
    }
    if (file === null || this.#isClosing) {
      for (const id of covered) this.#recorded.add(id);
      return;
    }
    await this.#log.write([{ key: storeKeys.leafFile, value: file }]);
    await this.#forgetOthers(file.number);
    const ids = [...covered];
    for (let from = 0; from < ids.length && !this.#isClosing; from += DELETES_AT_ONCE) {
      const unchanged = ids.slice(from, from + DELETES_AT_ONCE).filter((id) => !this.#recorded.has(id));
      await this.#log.write(unchanged.map((id) => ({ key: storeKeys.leaf(id) })));
    }
  }

  async #writeFile(flat: FlatLedger, options: Parameters<typeof writeLeafFile>[3]): Promise<LeafFile | null> {
    const before = await this.#log.get<LeafFile>(storeKeys.leafFile);
    return writeLeafFile(this.#log.path, (before?.number ?? 0) + 1, flat, options);
  }

  async #forgetOthers(number: number): Promise<void> {
    for (const name of await readdir(this.#log.path))
      if (LEAF_FILE_NAME.test(name) && name !== leafFileName(number)) await rm(join(this.#log.path, name));
  }

  /**
   * Writes that put all leaves of a ledger into an empty store: few as records, many in a file that is written at once.
   * @throws the disk's errors
   */
  async writesOf(ledger: Ledger, recordsPerFile = RECORDS_PER_FILE): Promise<StoreWrite[]> {
    ledger.foldAll();
    if (ledger.base.size <= recordsPerFile) return leafWrites(ledger);
    return [{ key: storeKeys.leafFile, value: await this.#writeFile(ledger.base, {}) }];
  }

  /** Resolves when nothing is written any more; a file that was not finished never counts. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#writing?.catch(() => {});
  }
}
