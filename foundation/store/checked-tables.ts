/**
 * Remembers which of LevelDB's table files were read to their last byte and found intact. Tables never change, so a start reads
 * only those that are new or are no longer the same file: by size, times, and the number of the inode. A disk that falsifies a
 * table leaves all of these as they were, so the owner goes on reading old ones while it works.
 */
import { type BigIntStats, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileWhole } from "../whole-file.ts";
import { checkedJson } from "./checked-json.ts";

/** Name of the list's file. LevelDB leaves unknown files alone. */
const FILE_NAME = "CHECKED-TABLES";

const identityOf = ({ ctimeNs, ino, mtimeNs, size }: BigIntStats) => [size, mtimeNs, ctimeNs, ino].join("-");

export class CheckedTables {
  readonly #path: string;
  /** Marks of files by name, the one that was read longest ago first. */
  readonly #tables: Map<string, string>;

  constructor(folder: string) {
    this.#path = join(folder, FILE_NAME);
    this.#tables = new Map(read(this.#path));
  }

  has(name: string, stat: BigIntStats): boolean {
    return this.#tables.get(name) === identityOf(stat);
  }

  /** @param stat of the file before it was read */
  note(name: string, stat: BigIntStats): void {
    this.#tables.delete(name);
    this.#tables.set(name, identityOf(stat));
  }

  get oldest(): string | undefined {
    return this.#tables.keys().next().value;
  }

  /**
   * Drops tables that are gone, and saves the rest for the next start. A lost entry only means that its table
   * is read again.
   */
  async save(present: ReadonlySet<string>): Promise<void> {
    for (const name of this.#tables.keys()) if (!present.has(name)) this.#tables.delete(name);
    await writeFileWhole(this.#path, checkedJson.encode([...this.#tables]));
  }
}

/**
 * Reads the list. Returns an empty one if the file is missing or damaged: then every table is read. @throws
 * errors of Node's file calls
 */
function read(path: string): [string, string][] {
  try {
    return checkedJson.decode(readFileSync(path, "utf8")) as [string, string][];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && code !== "ENOENT") throw error;
    return [];
  }
}
