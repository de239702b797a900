/**
 * Compares LevelDB's files with what they say of each other, before LevelDB opens them. LevelDB would go on without much of
 * what is missing: a store without CURRENT is a new one to it, a log that was cut off a shorter one, a damaged record of
 * it none, a key with another bit another key. And once it has opened a store it deletes what it does not know.
 * docs/adr/0005-reader-of-leveldbs-files.md counts what no other check finds.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { CheckedTables } from "./checked-tables.ts";
import { LevelBytes } from "./level-bytes.ts";
import { readLevelLog } from "./level-log.ts";
import { type LevelManifest, readManifest } from "./level-manifest.ts";
import { type CheckValue, checkTable } from "./level-table.ts";
import { StoreDamage } from "./store-fault.ts";

/** Sequence (8 bytes) and count (4 bytes) of the writes in a record of the log. */
const BATCH_HEADER_BYTES = 12;

/**
 * Structure of a store: all that is not read table by table (CURRENT, MANIFEST, logs, and the list of
 * tables). null for a new store.
 */
export type LevelStructure = LevelManifest | null;

/** @param checkValue of what is in the logs. @throws StoreDamage; errors of Node's file calls */
export function checkStructure(folder: string, checkValue?: CheckValue): LevelStructure {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (!names.includes("CURRENT")) {
    // A kill at the very beginning leaves MANIFEST-000001 without a CURRENT, and nothing else.
    const orphan = names.find((name) => /^(\d+\.(log|ldb)|MANIFEST-(?!000001$)\d+)$/.test(name));
    if (orphan !== undefined) throw new StoreDamage("CURRENT", `is missing beside ${orphan}`);
    return null;
  }
  const current = readFileSync(join(folder, "CURRENT"), "latin1");
  if (!/^MANIFEST-\d+\n$/.test(current)) throw new StoreDamage("CURRENT", "does not name a MANIFEST");
  const manifestName = current.trimEnd();
  if (!names.includes(manifestName)) throw new StoreDamage(manifestName, "is missing, and CURRENT names it");
  const manifest = readManifest(readFileSync(join(folder, manifestName)), manifestName);
  for (const [number, { sizeBytes }] of manifest.tables) {
    const name = tableName(number);
    if (!names.includes(name)) throw missingTable(number);
    const { size } = statSync(join(folder, name));
    if (size !== sizeBytes) throw new StoreDamage(name, `has ${size} bytes, and ${sizeBytes} were written`);
  }
  checkLogs(folder, names, manifest, checkValue);
  return manifest;
}

/** Checks that every write's sequence follows the one before, over all logs that are not in tables yet. */
function checkLogs(
  folder: string,
  names: readonly string[],
  manifest: LevelManifest,
  checkValue?: CheckValue,
): void {
  const { lastSequence, logNumber, previousLogNumber } = manifest;
  const numbers = names
    .filter((name) => /^\d+\.log$/.test(name))
    .map((name) => [Number.parseInt(name, 10), name] as const)
    .filter(([number]) => number >= logNumber || number === previousLogNumber)
    .sort(([a], [b]) => a - b);
  for (const number of [logNumber, previousLogNumber])
    if (number !== 0 && !numbers.some(([present]) => present === number))
      throw new StoreDamage(`${number.toString().padStart(6, "0")}.log`, "is missing");
  let next: number | null = null;
  let torn: string | null = null;
  for (const [, name] of numbers) {
    const { records, tornBytes } = readLevelLog(readFileSync(join(folder, name)), name);
    for (const record of records) {
      if (torn !== null) throw new StoreDamage(torn, "is cut off, and a later log goes on");
      if (record.length < BATCH_HEADER_BYTES) throw new StoreDamage(name, "has a record that is no write");
      const sequence = Number(record.readBigUInt64LE(0));
      const isNext = next === null ? sequence <= lastSequence + 1 : sequence === next;
      if (!isNext) throw new StoreDamage(name, `lacks the writes before ${sequence}`);
      next = sequence + record.readUInt32LE(8);
      if (checkValue !== undefined) checkWrites(record, name, checkValue);
    }
    if (tornBytes > 0) torn = name;
  }
}

/** LevelDB's write_batch.cc: a tag, a key, and of a tag that is 1 a value. */
function checkWrites(record: Buffer, name: string, checkValue: CheckValue): void {
  const writes = new LevelBytes(record, BATCH_HEADER_BYTES);
  try {
    while (!writes.isAtEnd) {
      const isValue = writes.take(1)[0] === 1;
      writes.string();
      if (isValue) checkValue(writes.string());
    }
  } catch (cause) {
    throw new StoreDamage(name, "has a write that is not what was written", cause);
  }
}

/** Extent of a check. */
export interface TableCheck {
  readonly tableCount: number;
  readonly byteCount: number;
  readonly durationMs: number;
}

/**
 * Reads every byte of the tables that were not read before.
 * @param checkValue throws if a value is not what was written
 * @throws StoreDamage; errors of Node's file calls
 */
export async function checkTables(
  folder: string,
  structure: LevelStructure,
  checked: CheckedTables,
  checkValue?: CheckValue,
): Promise<TableCheck> {
  const startedAtMs = performance.now();
  let [tableCount, byteCount] = [0, 0];
  for (const [number, facts] of structure?.tables ?? []) {
    const name = tableName(number);
    const path = join(folder, name);
    if (!existsSync(path)) throw missingTable(number);
    const stat = statSync(path, { bigint: true });
    if (checked.has(name, stat)) continue;
    await checkTable(await readFile(path), name, { facts, checkValue });
    checked.note(name, stat);
    tableCount += 1;
    byteCount += facts.sizeBytes;
  }
  if (tableCount > 0) await checked.save(new Set([...structure!.tables.keys()].map(tableName)));
  return { tableCount, byteCount, durationMs: performance.now() - startedAtMs };
}

/** A table that LevelDB is still writing is younger. */
const WRITTEN_MS = 30_000;

/**
 * The same for a store that is in use: the tables that are new since, and the one that was read longest ago.
 * @param isCancelled asked before each table
 */
export async function checkTablesInUse(
  folder: string,
  checked: CheckedTables,
  { checkValue, isCancelled }: { checkValue?: CheckValue | undefined; isCancelled: () => boolean },
): Promise<void> {
  const names = readdirSync(folder).filter((name) => /^\d+\.ldb$/.test(name));
  const { oldest } = checked;
  for (const name of names) {
    if (isCancelled()) return;
    const path = join(folder, name);
    // Tables that are gone since were compacted.
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || Date.now() - Number(stat.mtimeMs) < WRITTEN_MS) continue;
    if (checked.has(name, stat) && name !== oldest) continue;
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (bytes === null) continue;
    await checkTable(bytes, name, { checkValue, pause: nextTurn });
    checked.note(name, stat);
    await nextTurn();
  }
  await checked.save(new Set(names));
}

const tableName = (number: number) => `${number.toString().padStart(6, "0")}.ldb`;

const missingTable = (number: number) =>
  new StoreDamage(tableName(number), "is missing, and the MANIFEST names it");
