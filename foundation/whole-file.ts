import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes that are under way, by path: the last one of each. */
const writing = new Map<string, Promise<void>>();

/**
 * Written to a part file and renamed, so that a kill leaves the old file or the new one. Writes of one file take turns in the
 * order of their calls: the last one's text stays.
 */
export function writeFileWhole(path: string, text: string, mode = 0o644): Promise<void> {
  const before = writing.get(path) ?? Promise.resolve();
  const turn = before.catch(() => {}).then(() => replaceFile(path, text, mode));
  writing.set(path, turn);
  const forget = () => {
    if (writing.get(path) === turn) writing.delete(path);
  };
  turn.then(forget, forget);
  return turn;
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // Another process may write the same file.
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, text, { mode });
  await rename(part, path);
}

/** The file's text, or null where there is none. */
export function readIfPresent(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
