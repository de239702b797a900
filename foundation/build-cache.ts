/**
 * Cache entries that are built in a folder of their own and appear whole or not at all: compiled circuits,
 * contracts and development keys.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Moves a finished build to its place. Where another process was faster, its entry remains if `isUsable` says so; an
 * entry that serves no longer is moved away first.
 */
export async function publishBuild(
  buildDir: string,
  entryDir: string,
  isUsable: () => Promise<boolean>,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(buildDir, entryDir);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== "ENOTEMPTY" && code !== "EEXIST") || attempt === 3) throw error;
    }
    if (await isUsable()) return;
    const trash = `${buildDir}-old${attempt}`;
    await rename(entryDir, trash).catch(() => {});
    await rm(trash, { recursive: true, force: true });
  }
}

/** The lock of the one who builds an entry (file-lock.ts). Earlier versions had files that end in `.lock`. */
export const lockOf = (entryDir: string) => `${entryDir}.building`;

/** Makes the cache's folder, and removes builds (`.build-<pid>-…`) whose process is gone. */
export async function removeAbandonedBuilds(cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  for (const entry of await readdir(cacheDir)) {
    const pid = /^\.build-(\d+)-/.exec(entry)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(cacheDir, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
