/**
 * Detects acknowledged operations that the store has lost: the number of the last durable log entry, in a file of its own
 * beside LevelDB's. LevelDB takes a log file that was cut off for one that a crash cut off, and goes on without what is
 * missing: acknowledged operations would be gone, and their places given to others. The mark is written after the entry is on
 * disk, so it never promises too much; it needs no sync of its own, because whatever tears it off on a power failure can only
 * make it older.
 */
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { markedNumber } from "@openledger/foundation/store/write-mark";

/** LevelDB leaves files alone whose names it does not know. */
const FILE_NAME = "DURABLE-SEQUENCE";
/** One width, so that a write in place leaves nothing of the last one. */
const DIGITS = 16;

export class DurableMark {
  readonly #path: string;
  #fd: number | null = null;

  constructor(folder: string) {
    this.#path = join(folder, FILE_NAME);
  }

  /**
   * Reads the mark; null where there is none, or one that a power failure tore: then it proves nothing. @throws
   * StoreDamage
   */
  read(): number | null {
    if (!existsSync(this.#path)) return null;
    const text = readFileSync(this.#path, "latin1");
    return markedNumber(text, FILE_NAME);
  }

  /** @throws where the disk does not take it */
  write(sequence: number): void {
    this.#fd ??= openSync(this.#path, existsSync(this.#path) ? "r+" : "w");
    writeSync(this.#fd, sequence.toString().padStart(DIGITS, "0"), 0, "latin1");
  }

  /**
   * Lowers the mark before entries behind `sequence` are deleted; below 0 no entry is left, and the mark is emptied. Synced,
   * since an older mark would promise too much from then on.
   */
  lower(sequence: number): void {
    if (sequence >= 0) this.write(sequence);
    else {
      this.#fd ??= openSync(this.#path, existsSync(this.#path) ? "r+" : "w");
      ftruncateSync(this.#fd, 0);
    }
    fsyncSync(this.#fd!);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}
