/** Thread on which a watcher recomputes one model or settlement (recompute-tasks.ts), with a limit in milliseconds. */
import { TaskPool } from "@openledger/foundation/threads/task-pool";
import { modelError } from "@openledger/models/model-errors";
import type { Finding, Recomputation, WatchSeat } from "./recomputation.ts";

type RecomputeThread = TaskPool<typeof import("./recompute-tasks.ts")>;

/** Recomputes on a thread, one thing after another, so that the watcher answers and follows L1 meanwhile. */
export class RecomputePool {
  readonly #seat: WatchSeat;
  #thread: RecomputeThread | null = null;
  #isClosed = false;

  constructor(seat: WatchSeat) {
    this.#seat = seat;
  }

  /**
   * Starts a thread for the task: a model may have taken gigabytes, which end with it.
   * @returns null if it took longer than `maxMs`. @throws MOD_THREAD_ENDED if the thread died or the pool was closed
   */
  async run(task: Recomputation, maxMs: number): Promise<Finding | null> {
    if (this.#isClosed) throw ended(new Error("the watcher stops"));
    const signal = AbortSignal.timeout(maxMs);
    const thread: RecomputeThread = new TaskPool({
      tasks: new URL("./recompute-tasks.ts", import.meta.url),
      seat: this.#seat,
      threadCount: 1,
      ended,
    });
    this.#thread = thread;
    try {
      return await thread.run("recompute", task, { signal });
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    } finally {
      this.#thread = null;
      await thread.close();
    }
  }

  /** Ends the running recomputation. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.close();
  }
}

const ended = (cause: Error) =>
  modelError("MOD_THREAD_ENDED", `the thread that recomputes ended: ${cause.message}`, {
    data: { reason: cause.message },
    cause,
  });
