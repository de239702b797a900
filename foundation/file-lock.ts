import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Takes a file for this process, so that no two of them work at the same time. A process that is gone, killed too, holds
 * nothing.
 *
 * @param refuse makes the error where another process has it
 * @returns gives it back
 */
export function takeFileLock(path: string, refuse: (processId: number) => Error): () => void {
  // Linked from a file that has its content already: nobody ever reads a lock without its holder.
  const own = `${path}.${process.pid}`;
  for (let tries = 0; ; tries++) {
    writeFileSync(own, String(process.pid));
    try {
      linkSync(own, path);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || tries > 3) throw error;
      const holder = holderOf(path);
      if (holder !== null && holder !== process.pid && isAlive(holder)) throw refuse(holder);
      removeStale(path, own);
    } finally {
      rmSync(own, { force: true });
    }
  }
}

/** Work of this process that has a lock or waits for it, by the lock's path. */
const queues = new Map<string, Promise<unknown>>();
const POLL_MS = 50;

/**
 * Does the work while this process, and of it this call alone, has the file. Waits for another holder, not for one that was
 * killed.
 *
 * @param onWaiting called once, where another process has it
 */
export async function whileLocked<T>(
  path: string,
  onWaiting: (processId: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  const turn = (queues.get(path) ?? Promise.resolve()).then(async () => {
    const release = await waitForLock(path, onWaiting);
    try {
      return await work();
    } finally {
      release();
    }
  });
  const settled = turn.catch(() => {});
  queues.set(path, settled);
  try {
    return await turn;
  } finally {
    if (queues.get(path) === settled) queues.delete(path);
  }
}

async function waitForLock(path: string, onWaiting: (processId: number) => void): Promise<() => void> {
  const busy = new Error("held");
  for (let isFirst = true; ; isFirst = false) {
    let holder = 0;
    try {
      return takeFileLock(path, (processId) => {
        holder = processId;
        return busy;
      });
    } catch (error) {
      if (error !== busy) throw error;
      if (isFirst) onWaiting(holder);
      await wait(POLL_MS);
    }
  }
}

function holderOf(path: string): number | null {
  try {
    const holder = Number(readFileSync(path, "utf8"));
    return Number.isInteger(holder) && holder > 0 ? holder : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return null;
  }
}

/** Moves it away first: two that find the same holder gone must not remove what one of them takes next. */
function removeStale(path: string, own: string): void {
  const moved = `${own}.stale`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const holder = holderOf(moved);
  if (holder !== null && holder !== process.pid && isAlive(holder)) {
    // Another process took it between: it gets it back, unless a third one has it by now.
    try {
      linkSync(moved, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  rmSync(moved, { force: true });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
