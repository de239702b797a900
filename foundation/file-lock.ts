import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { readIfPresent } from "./whole-file.ts";

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
    writeFileSync(own, `${process.pid} ${startOf(process.pid)}`);
    try {
      linkSync(own, path);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || tries > 3) throw error;
      const holder = holderOf(path);
      if (holder !== null && isOther(holder)) throw refuse(holder.processId);
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

interface Holder {
  readonly processId: number;
  /** null in a file that does not say it. */
  readonly start: string | null;
}

function holderOf(path: string): Holder | null {
  const [processId, start = null] = (readIfPresent(path) ?? "").split(" ");
  const id = Number(processId);
  return Number.isInteger(id) && id > 0 ? { processId: id, start } : null;
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
  if (holder !== null && isOther(holder)) {
    // Another process took it between: it gets it back, unless a third one has it by now.
    try {
      linkSync(moved, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  rmSync(moved, { force: true });
}

/** After a reboot, or a year, another process may have the number: one that has started at another time holds nothing. */
function isOther({ processId, start }: Holder): boolean {
  if (processId === process.pid || !isAlive(processId)) return false;
  const now = startOf(processId);
  return start === null || start === UNKNOWN_START || now === UNKNOWN_START || now === start;
}

const UNKNOWN_START = "unknown";

/** The boot, and the time since then at which a process has started, as Linux has them. */
function startOf(processId: number): string {
  const boot = readIfPresent("/proc/sys/kernel/random/boot_id");
  // Behind the name, which may have spaces and brackets: the 22nd field of all is the 20th.
  const ticks = readIfPresent(`/proc/${processId}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ")[19];
  return boot === null || ticks === undefined ? UNKNOWN_START : `${boot.trim()}/${ticks}`;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
