import { Worker } from "node:worker_threads";
import type { WorkerAnswer, WorkerTask } from "./helper-worker.ts";

/**
 * Worker thread of a prover: starts with the first task, runs one at a time, and does not keep the process
 * alive while idle.
 */
export class HelperThread {
  #worker: Worker | null = null;
  #failRunning: ((error: Error) => void) | null = null;

  /** Rejects when the thread dies or is ended. */
  run(task: WorkerTask): Promise<WorkerAnswer> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    worker.ref();
    return new Promise<WorkerAnswer>((settle, fail) => {
      const finish = (report: () => void) => {
        worker.off("message", onMessage).off("error", onEnd).off("exit", onExit);
        worker.unref();
        this.#failRunning = null;
        report();
      };
      const onMessage = (answer: WorkerAnswer) => finish(() => settle(answer));
      const onEnd = (error: Error) => {
        if (this.#worker === worker) this.#worker = null;
        finish(() => fail(error));
      };
      const onExit = (status: number) => onEnd(new Error(`the thread ended with status ${status}`));
      this.#failRunning = (error) => finish(() => fail(error));
      worker.on("message", onMessage).on("error", onEnd).on("exit", onExit);
      worker.postMessage(task);
    });
  }

  /** Ends the thread and the task it runs; the next task starts another one. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    this.#failRunning?.(new Error("the thread was ended"));
    await worker?.terminate();
  }

  #start(): Worker {
    return new Worker(new URL("./helper-worker-entry.js", import.meta.url), { execArgv: [] });
  }
}
