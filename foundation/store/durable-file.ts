/** A file that is whole or not there: written beside, made durable, and then given its name. */
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** What files end in that are being written; after a crash they are nobody's. */
export const PART = ".part";

/** Durable when it resolves, its name included. @throws what Node's file calls throw; then nothing is left beside */
export async function writeDurable(path: string, bytes: Uint8Array | string): Promise<void> {
  const part = `${path}.${randomBytes(4).toString("hex")}${PART}`;
  try {
    const file = await open(part, "wx");
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
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
