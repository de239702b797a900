/** Lock between processes by a folder: one builds a cache entry, or writes a file of keys, while others wait. */
import { setTimeout as wait } from "node:timers/promises";
import { lock } from "proper-lockfile";

/** A lock whose holder has shown no life for so long is taken over. */
const STALE_MS = 10_000;
/** Time between two tries to take the lock. */
const POLL_MS = 50;

/**
 * Does the work while this call alone has the lock, a folder at `path`. Waits for another holder; a signal frees what
 * it held, and STALE_MS after a SIGKILL it is taken over.
 *
 * For work that two may do without harm: a holder whose event loop stands still for STALE_MS loses the lock, and of two
 * that find one stale both may get it.
 *
 * @param onWaiting called once, where another call or process has it
 */
export async function whileLocked<T>(
  path: string,
  onWaiting: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const release = await waitForLock(path, onWaiting);
  try {
    return await work();
  } finally {
    await release().catch(ignore("ERELEASED"));
  }
}

async function waitForLock(path: string, onWaiting: () => void): Promise<() => Promise<void>> {
  // By default a lock that was taken over ends the process.
  const options = { lockfilePath: path, realpath: false, stale: STALE_MS, onCompromised: () => {} };
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await lock(path, options);
    } catch (error) {
      ignore("ELOCKED")(error);
      if (isFirst) onWaiting();
      await wait(POLL_MS);
    }
  }
}

const ignore = (code: string) => (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code !== code) throw error;
};
