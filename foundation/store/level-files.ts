/**
 * Compares LevelDB's files with what they say of each other, before LevelDB opens them. LevelDB would go on without much of
 * what is missing: a store without CURRENT is a new one to it, a log that was cut off a shorter one, a damaged record of
 * it none, a key with another bit another key. And once it has opened a store it deletes what it does not know.
 * docs/adr/0005-reader-of-leveldbs-files.md counts what no other check finds.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { readLevelLog } from "./level-log.ts";
import { type LevelManifest, readManifest } from "./level-manifest.ts";
import { checkTable } from "./level-table.ts";
import { StoreDamage } from "./store-fault.ts";

/** Sequence (8 bytes) and count (4 bytes) of the writes in a record of the log. */
const BATCH_HEADER_BYTES = 12;

/** Whatever is not read table by table: CURRENT, MANIFEST, logs, and which tables there are. null: a new store. */
export type LevelStructure = LevelManifest | null;

/** @throws StoreDamage; errors of Node's file calls */
export function checkStructure(folder: string): LevelStructure {
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
  checkLogs(folder, names, manifest);
  return manifest;
}

/** Every write's sequence follows the one before, over all logs that are not in tables yet. */
function checkLogs(folder: string, names: readonly string[], manifest: LevelManifest): void {
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
    }
    if (tornBytes > 0) torn = name;
  }
}

/**
 * Reads every byte of the tables. Those that are gone since were compacted by a LevelDB that has the store open.
 * @param options.isInUse the tables of a store that is open; else a missing one is damage
 * @throws StoreDamage; errors of Node's file calls
 */
export async function checkTables(
  folder: string,
  structure: LevelStructure,
  options: { isInUse?: boolean; pauseMs?: number; isCancelled?: () => boolean } = {},
): Promise<void> {
  const { isCancelled, isInUse = false, pauseMs = 0 } = options;
  for (const [number, facts] of structure?.tables ?? []) {
    if (isCancelled?.()) return;
    const name = tableName(number);
    const isThere = existsSync(join(folder, name));
    if (!isThere && isInUse) continue;
    if (!isThere) throw missingTable(number);
    const bytes = await readFile(join(folder, name)).catch((error: unknown) => {
      if (isInUse && (error as { code?: unknown }).code === "ENOENT") return null;
      throw error;
    });
    if (bytes !== null) checkTable(bytes, name, facts);
    if (pauseMs > 0) await pause(pauseMs);
  }
}

const tableName = (number: number) => `${number.toString().padStart(6, "0")}.ldb`;

const missingTable = (number: number) =>
  new StoreDamage(tableName(number), "is missing, and the MANIFEST names it");
