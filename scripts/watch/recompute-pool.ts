import { Piscina } from "piscina";
import type { Finding, Recomputation, WatchSeat } from "./recomputation.ts";

/** One thread that recomputes one thing after another, so that the watcher answers and follows L1 meanwhile. */
export class RecomputePool {
  readonly #pool: Piscina<Recomputation, Finding>;

  constructor(seat: WatchSeat) {
    this.#pool = new Piscina({
      filename: new URL("./recompute-worker-entry.js", import.meta.url).href,
      workerData: seat,
      execArgv: [],
      minThreads: 0,
      maxThreads: 1,
      // A model may have taken gigabytes: the thread ends with it.
      idleTimeout: 0,
    });
    // A thread that dies between two tasks is replaced; one that dies within a task fails that task.
    this.#pool.on("error", () => {});
  }

  /** @returns null if it took longer than `maxMs`. @throws an Error if the thread died */
  async run(task: Recomputation, maxMs: number): Promise<Finding | null> {
    const signal = AbortSignal.timeout(maxMs);
    try {
      return await this.#pool.run(task, { signal });
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  /** Ends the running recomputation. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }
}
