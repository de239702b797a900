/**
 * Threads of the wasm back end as one unit: a task goes to all of them, and a failure of one ends all.
 * wasm-backend.ts owns one.
 */
import { Worker } from "node:worker_threads";
import { proverError } from "../prover-errors.ts";
import type { ThreadAnswer, ThreadTask } from "./prover-thread.ts";

/** The threads work in shared memory and make few objects: what V8 keeps free for new ones would be tens of megabytes each. */
const maxYoungGenerationSizeMb = 2;

interface Running {
  settle: (answers: ThreadAnswer[]) => void;
  fail: (error: Error) => void;
  answers: ThreadAnswer[];
  missing: number;
}

/** Group of worker threads that share one job at a time. It does not keep the process alive while idle. */
export class ThreadGroup {
  readonly workers: readonly Worker[];
  #running: Running | null = null;
  #isEnded = false;

  constructor(threadCount: number) {
    this.workers = Array.from({ length: threadCount }, (_, thread) => {
      const worker = new Worker(new URL("./prover-thread-entry.js", import.meta.url), {
        execArgv: [],
        resourceLimits: { maxYoungGenerationSizeMb },
      });
      worker.unref();
      worker.on("message", (answer: ThreadAnswer) => this.#take(thread, answer));
      worker.on("error", (error: Error) => this.#fail(error.message, error));
      worker.on("exit", (status) => this.#fail(`exit status ${status}`, null));
      return worker;
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Runs the i-th task on thread i; there may be fewer tasks than threads. Ends all threads when one fails, as
   * the others may wait for it.
   *
   * @throws RollupError PRV_WORKER_DIED, and what a thread failed with
   */
  async run(tasks: readonly ThreadTask[]): Promise<ThreadAnswer[]> {
    if (this.#isEnded) throw died("the threads were ended", null);
    const busy = this.workers.slice(0, tasks.length);
    for (const worker of busy) worker.ref();
    try {
      return await new Promise<ThreadAnswer[]>((settle, fail) => {
        this.#running = { settle, fail, answers: [], missing: tasks.length };
        for (const [i, worker] of busy.entries()) worker.postMessage(tasks[i]);
      });
    } finally {
      this.#running = null;
      for (const worker of busy) worker.unref();
    }
  }

  async end(): Promise<void> {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#running?.fail(died("the threads were ended", null));
    }
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  #take(thread: number, answer: ThreadAnswer): void {
    const running = this.#running;
    if (running === null) return;
    if (answer.kind === "failed") {
      const { code, message } = answer;
      running.fail(proverError(code ?? "PRV_PROVE_FAILED", message, { data: { reason: message } }));
      void this.end();
      return;
    }
    running.answers[thread] = answer;
    if (--running.missing === 0) running.settle(running.answers);
  }

  #fail(reason: string, cause: Error | null): void {
    if (this.#isEnded) return;
    this.#running?.fail(died(reason, cause));
    void this.end();
  }
}

function died(reason: string, cause: Error | null) {
  return proverError("PRV_WORKER_DIED", `a thread of the prover ended: ${reason}`, {
    data: { reason },
    cause,
  });
}
