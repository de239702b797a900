/**
 * Detects writes that a LevelDB store has lost: the number of durable writes, in a file beside LevelDB's, which the store
 * itself has in every write too. LevelDB takes a log that was cut off for one that a crash cut off, and goes on without the
 * rest: then the store's number is the lower one. The mark is written after the write is on disk, so it never promises too
 * much. It needs no sync of its own, because a power failure that destroys it can only make it older. Only its creation is
 * synced, so a mark that is missing after the first write was deleted.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { StoreDamage } from "./store-fault.ts";

/** Name of the mark's file. LevelDB leaves unknown files alone. */
const FILE_NAME = "DURABLE-WRITES";
/** Width of the number: constant, so that a write in place leaves nothing of the last one. */
const DIGITS = 16;

export class WriteMark {
  readonly #path: string;
  #fd: number | null = null;

  constructor(folder: string) {
    this.#path = join(folder, FILE_NAME);
  }

  /**
   * 0 if there is none, or one that was made and never written.
   * @throws StoreDamage where it is something else; what Node's file calls throw
   */
  read(): number {
    try {
      const text = readFileSync(this.#path, "latin1");
      return markedNumber(text, FILE_NAME) ?? 0;
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return 0;
      throw error;
    }
  }

  /** @throws if the disk does not take it */
  write(count: number): void {
    const isNew = this.#fd === null && !hasMark(this.#path);
    this.#fd ??= openSync(this.#path, isNew ? "w" : "r+");
    writeSync(this.#fd, count.toString().padStart(DIGITS, "0"), 0, "latin1");
    if (isNew) syncWithFolder(this.#fd, this.#path);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/**
 * Reads the number; null for a file that was created and never written: empty, or zeros after a power
 * failure. @throws StoreDamage
 */
export function markedNumber(text: string, file: string): number | null {
  if (/^\d{16}$/.test(text)) return Number(text);
  if (/^\0{0,16}$/.test(text)) return null;
  throw new StoreDamage(file, "is no number of 16 digits");
}

/** True if the mark exists and has a number. */
function hasMark(path: string): boolean {
  return existsSync(path) && statSync(path).size === DIGITS;
}

function syncWithFolder(fd: number, path: string): void {
  fsyncSync(fd);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
