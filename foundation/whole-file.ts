/**
 * Files that are whole or not there: written beside, made durable, and then given their name. Commands,
 * the devnet and stores of plain files write by it.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Suffix of files during their write. After a crash they belong to nobody. */
export const PART = ".part";

interface WriteOptions {
  readonly mode?: number;
  /**
   * True if the file, its name included, must outlive a power failure once the call resolves. Default: true.
   */
  readonly isDurable?: boolean;
}

/** Parts are written one after another. */
type Content = string | Uint8Array | readonly Uint8Array[] | AsyncIterable<string>;

/** Writes that are under way, by path: the last one of each. */
const writing = new Map<string, Promise<void>>();

/**
 * Writes a file, and its folder where there is none: a kill or a full disk leaves the old file or the new one. Writes
 * of one file take turns in the order of their calls: the last one's content stays.
 * @throws what Node's file calls throw; then nothing is left beside
 */
export function writeFileWhole(path: string, content: Content, options: WriteOptions = {}): Promise<void> {
  const before = writing.get(path) ?? Promise.resolve();
  const turn = before.catch(() => {}).then(() => replaceFile(path, content, options));
  writing.set(path, turn);
  const forget = () => {
    if (writing.get(path) === turn) writing.delete(path);
  };
  turn.then(forget, forget);
  return turn;
}

async function replaceFile(
  path: string,
  content: Content,
  { isDurable = true, mode = 0o644 }: WriteOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // Another process may write the same file.
  const part = `${path}.${randomBytes(4).toString("hex")}${PART}`;
  try {
    const file = await open(part, "wx", mode);
    try {
      const isWhole = typeof content === "string" || content instanceof Uint8Array;
      for await (const piece of isWhole ? [content] : content) await file.writeFile(piece);
      if (isDurable) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
  if (isDurable) await syncFolder(dirname(path));
}

/** Makes the names in it durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Reads the file's text; null if there is no file. */
export function readIfPresent(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
