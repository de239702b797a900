/**
 * How many writes were durable, in a file beside LevelDB's; the store itself has the same number in every write. LevelDB takes
 * a log that was cut off for one that a crash cut off, and goes on without what is missing: then the store's number is
 * the lower one. The mark is written after the write is on disk, so it never promises too much; it needs no sync of its
 * own, because whatever tears it off on a power failure can only make it older.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StoreDamage } from "./store-fault.ts";

/** LevelDB leaves files alone whose names it does not know. */
const FILE_NAME = "DURABLE-WRITES";
/** One width, so that a write in place leaves nothing of the last one. */
const DIGITS = 16;

export class WriteMark {
  readonly #path: string;
  #fd: number | null = null;

  constructor(folder: string) {
    this.#path = join(folder, FILE_NAME);
  }

  /**
   * 0 where there is none, or one that a power failure tore: then it says nothing.
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

  /** @throws where the disk does not take it */
  write(count: number): void {
    this.#fd ??= openExisting(this.#path);
    writeSync(this.#fd, count.toString().padStart(DIGITS, "0"), 0, "latin1");
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** null for a file that was made and never written: empty, or zeros after a power failure. @throws StoreDamage */
export function markedNumber(text: string, file: string): number | null {
  if (/^\d{16}$/.test(text)) return Number(text);
  if (/^\0{0,16}$/.test(text)) return null;
  throw new StoreDamage(file, "is no number of 16 digits");
}

function openExisting(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    return openSync(path, "w");
  }
}
