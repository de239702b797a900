/** A thread of the machine beside this one. */
import { Worker } from "node:worker_threads";
import type { RowSeat, TeamTask } from "./row-task.ts";

/** A refusal as its parts: classes do not survive the way between threads. */
export type RowAnswer =
  | { readonly loss: number }
  | { readonly refusal: { readonly code: string; readonly message: string; readonly data: object } }
  | { readonly failure: unknown };

export interface RowThread {
  /** Runs one task at a time. @returns its answer; rejects if the thread ended */
  ask(task: TeamTask): Promise<RowAnswer>;
  end(): Promise<unknown>;
}

export function startRowThread(workerData: RowSeat): RowThread {
  const worker = new Worker(new URL("./row-worker-entry.js", import.meta.url), { workerData, execArgv: [] });
  return {
    ask: (task) =>
      new Promise((settle, fail) => {
        const done = () => {
          worker.off("message", onAnswer);
          worker.off("error", onError);
          worker.off("exit", onExit);
        };
        const onAnswer = (answer: RowAnswer) => {
          done();
          settle(answer);
        };
        const onError = (error: Error) => {
          done();
          fail(error);
        };
        const onExit = (status: number) => {
          done();
          fail(new Error(`exit status ${status}`));
        };
        worker.once("message", onAnswer);
        worker.once("error", onError);
        worker.once("exit", onExit);
        worker.postMessage(task);
      }),
    end: () => worker.terminate(),
  };
}
