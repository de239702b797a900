/** Work that waits for a database: of workers, and of those who wait for a job's end. */
import { retry } from "../retry.ts";
import { isPassing } from "./database-errors.ts";

const WAIT_MS = 1_000;

/**
 * Calls again, each second, as long as the database does not answer, or its disk has no room.
 * @throws what the call throws otherwise; the signal's reason
 */
export function whileAway<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  return retry(act, { firstWaitMs: WAIT_MS, maxWaitMs: WAIT_MS, isPassing, signal });
}
