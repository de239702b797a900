/**
 * Files of a row store on disk; row-store.ts and published-version.ts read and write through it. An existing file is
 * right: its name is the digest of its content.
 */
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileWhole } from "@openledger/foundation/whole-file";

/**
 * Makes the place where it is not there yet.
 * @internal
 */
export async function openRowFiles(folder: string): Promise<void> {
  await mkdir(join(folder, "rows"), { recursive: true });
  await mkdir(join(folder, "contributions"), { recursive: true });
}

/**
 * Reads a file. Rejects where there is none.
 * @param name with "/" between its parts
 * @internal
 */
export function readRowFile(folder: string, name: string): Promise<Uint8Array> {
  return readFile(join(folder, name));
}

/**
 * Writes a file; a rename leaves no half files.
 * @param isReplaced true overwrites an existing file
 * @internal
 */
export async function writeRowFile(
  folder: string,
  name: string,
  content: Uint8Array,
  isReplaced = false,
): Promise<void> {
  const path = join(folder, name);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists && !isReplaced) return;
  await writeFileWhole(path, content, { isDurable: false });
}

/**
 * Removes all files, and the place itself.
 * @internal
 */
export function removeRowFiles(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
