import { Worker } from "node:worker_threads";
import type { CheckAnswer, CheckTask } from "./check-worker.ts";

/** The thread that checks: starts with the first task, takes one at a time. One that died is started again. */
export class CheckThread {
  #worker: Worker | null = null;

  /** Rejects when the thread dies. */
  run(task: CheckTask): Promise<CheckAnswer> {
    this.#worker ??= new Worker(new URL("./check-worker-entry.js", import.meta.url), { execArgv: [] });
    const worker = this.#worker;
    return new Promise<CheckAnswer>((settle, fail) => {
      const onEnd = (error: unknown) => {
        this.#worker = null;
        fail(error);
      };
      const onExit = (status: number) => onEnd(new Error(`the check's thread ended with status ${status}`));
      worker.once("error", onEnd).once("exit", onExit);
      worker.once("message", (answer: CheckAnswer) => {
        worker.off("error", onEnd).off("exit", onExit);
        settle(answer);
      });
      worker.postMessage(task);
    });
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }
}
