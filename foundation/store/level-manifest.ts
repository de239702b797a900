/**
 * Reader of LevelDB's MANIFEST: which tables and logs a store consists of. level-files.ts compares it with the
 * folder.
 */
import { LevelBytes } from "./level-bytes.ts";
import { readLevelLog } from "./level-log.ts";
import type { TableFacts } from "./level-table.ts";
import { StoreDamage } from "./store-fault.ts";

export interface LevelManifest {
  readonly tables: ReadonlyMap<number, TableFacts>;
  /** The oldest write-ahead log that is not in tables; 0: none was begun. */
  readonly logNumber: number;
  /** Number of an even older log, of LevelDB's first versions; 0: none. */
  readonly previousLogNumber: number;
  /** Sequence of the last write that is in tables, or of a later one. */
  readonly lastSequence: number;
}

/** @throws StoreDamage */
export function readManifest(bytes: Buffer, file: string): LevelManifest {
  const tables = new Map<number, TableFacts>();
  const numbers: Record<"log" | "previousLog" | "nextFile" | "lastSequence", number | null> = {
    log: null,
    previousLog: null,
    nextFile: null,
    lastSequence: null,
  };
  try {
    for (const record of readLevelLog(bytes, file).records) {
      const edit = new LevelBytes(record);
      while (!edit.isAtEnd) applyField(edit, tables, numbers);
    }
  } catch (cause) {
    if (cause instanceof StoreDamage) throw cause;
    throw new StoreDamage(file, "is not of a MANIFEST's form", cause);
  }
  const { lastSequence, log, nextFile, previousLog } = numbers;
  if (log === null || nextFile === null || lastSequence === null)
    throw new StoreDamage(file, "does not say what the store consists of");
  return { tables, logNumber: log, previousLogNumber: previousLog ?? 0, lastSequence };
}

/** The tags of LevelDB's version_edit.cc. */
function applyField(
  edit: LevelBytes,
  tables: Map<number, TableFacts>,
  numbers: Record<"log" | "previousLog" | "nextFile" | "lastSequence", number | null>,
): void {
  const tag = edit.number();
  if (tag === 1) edit.string();
  else if (tag === 2) numbers.log = edit.number();
  else if (tag === 3) numbers.nextFile = edit.number();
  else if (tag === 4) numbers.lastSequence = edit.number();
  else if (tag === 5) {
    edit.number();
    edit.string();
  } else if (tag === 6) {
    edit.number();
    tables.delete(edit.number());
  } else if (tag === 7) {
    edit.number();
    const number = edit.number();
    tables.set(number, { sizeBytes: edit.number(), smallest: edit.string(), largest: edit.string() });
  } else if (tag === 9) numbers.previousLog = edit.number();
  else throw new RangeError(`there is no field ${tag}`);
}
