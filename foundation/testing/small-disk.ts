/** A disk of a test's or drill's own that can be filled: a file system in memory. */
import { execFileSync } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";

const BALLAST = "ballast";
const PIECES = [1_048_576, 4_096] as const;

export interface SmallDisk {
  /** Takes all of the room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  makeRoom(): Promise<void>;
  unmount(): void;
}

/**
 * Mounts one on a folder. That takes root, or a namespace of one's own: `unshare --mount --map-current-user --keep-caps`.
 * @returns why it is left out, where the system refuses
 */
export function mountSmallDisk(folder: string, megabytes: number): SmallDisk | string {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "openledger-test", folder], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  } catch (error) {
    return `left out: no file system may be mounted here, which takes root (${(error as Error).message.trim().split("\n").at(-1)})`;
  }
  const ballast = join(folder, BALLAST);
  return {
    async fill() {
      const file = await open(ballast, "a");
      try {
        for (const bytes of PIECES) while (await hasWritten(file, bytes));
      } finally {
        await file.close();
      }
    },
    makeRoom: () => rm(ballast, { force: true }),
    unmount: () => void execFileSync("umount", ["--lazy", folder]),
  };
}

async function hasWritten(file: Awaited<ReturnType<typeof open>>, bytes: number): Promise<boolean> {
  try {
    const { bytesWritten } = await file.write(Buffer.alloc(bytes));
    return bytesWritten === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
