import { Worker } from "node:worker_threads";
import { RollupError } from "../../circuits/rollup-error.ts";
import type { LoadedModel } from "../files/load-model.ts";
import { modelError } from "../model-errors.ts";
import { type RowSeat, type RowTask, runRowTask } from "./row-task.ts";
import type { RowAnswer } from "./row-worker.ts";

/**
 * Threads that compute rows' gradients, each whole rows. Every row has a block of its own, so the bytes do not depend
 * on which thread took it. With one workspace the caller's thread computes.
 */
export class RowTeam {
  readonly #loaded: LoadedModel;
  readonly #workers: Worker[];
  #isClosed = false;

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
    const { models, shared } = loaded;
    this.#workers =
      models.length === 1
        ? []
        : models.map(({ kernels: _, ...model }, i) => {
            const workerData: RowSeat = { shared, threadIndex: i + 1, model };
            const url = new URL("./row-worker-entry.js", import.meta.url);
            return new Worker(url, { workerData, execArgv: [] });
          });
  }

  /** @returns the losses in the tasks' order. @throws RollupError MOD_INPUT_INVALID, MOD_THREAD_ENDED */
  async run(tasks: readonly RowTask[]): Promise<number[]> {
    if (this.#isClosed) throw ended("the threads were ended");
    if (this.#workers.length === 0) return tasks.map((task) => runRowTask(this.#loaded.model, task));
    const losses = new Array<number>(tasks.length);
    let next = 0;
    const work = async (worker: Worker) => {
      for (let i = next++; i < tasks.length; i = next++) losses[i] = await ask(worker, tasks[i]!);
    };
    await Promise.all(this.#workers.map(work));
    return losses;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, task: RowTask): Promise<number> {
  return new Promise((settle, fail) => {
    const done = () => {
      worker.off("message", onAnswer);
      worker.off("error", onError);
      worker.off("exit", onExit);
    };
    const onAnswer = (answer: RowAnswer) => {
      done();
      if ("loss" in answer) settle(answer.loss);
      else if ("refusal" in answer)
        fail(new RollupError(answer.refusal.code, answer.refusal.message, answer.refusal));
      else fail(ended(String(answer.failure), answer.failure));
    };
    const onError = (error: Error) => {
      done();
      fail(ended(error.message, error));
    };
    const onExit = (status: number) => {
      done();
      fail(ended(`exit status ${status}`));
    };
    worker.once("message", onAnswer);
    worker.once("error", onError);
    worker.once("exit", onExit);
    worker.postMessage(task);
  });
}

function ended(reason: string, cause?: unknown) {
  return modelError("MOD_THREAD_ENDED", `a thread of the computation failed: ${reason}`, {
    data: { reason },
    cause,
  });
}
