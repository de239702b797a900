/** Thread on which a watcher recomputes one model or settlement (recompute-tasks.ts), with a limit in milliseconds. */
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import { modelError } from "@openledger/models/model-errors";
import type { Finding, Recomputation, WatchSeat } from "./recomputation.ts";

export interface RecomputeOptions {
  readonly maxMs: number;
  /** Ends the thread. */
  readonly signal: AbortSignal;
  /** Told each step of the work once. */
  readonly onProgress: (text: string) => void;
}

/**
 * Recomputes on a thread of its own, so that the watcher answers and follows L1 meanwhile. A model may take gigabytes, which end
 * with the thread.
 * @returns null if it took longer than `maxMs`. @throws MOD_THREAD_ENDED if the thread died; what aborted the signal
 */
export async function recomputeOnThread(
  seat: WatchSeat,
  task: Recomputation,
  { maxMs, onProgress, signal }: RecomputeOptions,
): Promise<Finding | null> {
  const limit = AbortSignal.timeout(maxMs);
  const thread = new TaskPool<typeof import("./recompute-tasks.ts")>({
    tasks: new URL("./recompute-tasks.ts", import.meta.url),
    seat,
    threadCount: 1,
    // A model as large as its owner could train it here: models have limits of their own.
    maxHeapMb: OWN_WORK_HEAP_MB,
    ended: (cause) =>
      modelError("MOD_THREAD_ENDED", `the thread that recomputes ended: ${cause.message}`, {
        data: { reason: cause.message },
        cause,
      }),
  });
  try {
    return await thread.run("recompute", task, {
      signal: AbortSignal.any([limit, signal]),
      onPart: onProgress,
    });
  } catch (error) {
    if (limit.aborted && !signal.aborted) return null;
    throw error;
  } finally {
    await thread.close();
  }
}
