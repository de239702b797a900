/** Guard of `openledger operator init`: finds a data directory that belongs to another rollup. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  isSameRollup,
  readStoreRecord,
  rollupOf,
  type StoreRecord,
  type StoreRollup,
} from "@openledger/foundation/store/store-identity";

/** A store of a process lies in its data directory, or in a folder of it. */
const MAX_DEPTH = 2;

/**
 * A record in a data directory, or below it, that names another rollup; null if all that is there is this rollup's, or
 * nothing is.
 * @throws StoreDamage for a record that is not as it was written
 */
export function foreignRecord(
  path: string,
  rollup: StoreRollup,
  depth = 0,
): (StoreRecord & { path: string }) | null {
  if (!existsSync(path)) return null;
  const record = readStoreRecord(path);
  if (record !== null && record.rollupAddress !== null && !isSameRollup(rollupOf(record), rollup))
    return { ...record, path };
  if (depth === MAX_DEPTH) return null;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const found = entry.isDirectory() ? foreignRecord(join(path, entry.name), rollup, depth + 1) : null;
    if (found !== null) return found;
  }
  return null;
}
