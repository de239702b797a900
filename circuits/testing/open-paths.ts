/** Test support: what of a folder others than its owner may read, write or list. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Paths with a bit for the group or for everybody, the folder's own among them; throws if the folder is empty. */
export function openPaths(folder: string): string[] {
  const inside = readdirSync(folder, { recursive: true, encoding: "utf8" });
  if (inside.length === 0) throw new Error(`${folder} is empty`);
  return [folder, ...inside.map((name) => join(folder, name))].filter(
    (path) => (statSync(path).mode & 0o077) !== 0,
  );
}
