import { RollupError } from "@openledger/foundation/rollup-error";
import type { LoadedModel } from "../files/load-model.ts";
import { modelError } from "../model-errors.ts";
import { type RowTask, runRowTask } from "./row-task.ts";
import { type RowThread, startRowThread } from "./row-thread.ts";

/**
 * Threads that compute rows' gradients, each whole rows. Every row has a block of its own, so the bytes do not depend
 * on which thread took it. With one workspace the caller's thread computes.
 */
export class RowTeam {
  readonly #loaded: LoadedModel;
  readonly #threads: RowThread[];
  #isClosed = false;

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
    const { models, shared } = loaded;
    this.#threads =
      models.length === 1
        ? []
        : models.map(({ kernels: _, ...model }, i) => startRowThread({ shared, threadIndex: i + 1, model }));
  }

  /** @returns the losses in the tasks' order. @throws RollupError MOD_INPUT_INVALID, MOD_THREAD_ENDED */
  async run(tasks: readonly RowTask[]): Promise<number[]> {
    if (this.#isClosed) throw ended("the threads were ended");
    if (this.#threads.length === 0) return tasks.map((task) => runRowTask(this.#loaded.model, task));
    const losses = new Array<number>(tasks.length);
    let next = 0;
    const work = async (thread: RowThread) => {
      for (let i = next++; i < tasks.length; i = next++) losses[i] = await ask(thread, tasks[i]!);
    };
    await Promise.all(this.#threads.map(work));
    return losses;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

async function ask(thread: RowThread, task: RowTask): Promise<number> {
  const answer = await thread.ask(task).catch((error: Error) => {
    throw ended(error.message, error);
  });
  if ("loss" in answer) return answer.loss;
  if ("failure" in answer) throw ended(String(answer.failure), answer.failure);
  const { code, message } = answer.refusal;
  throw new RollupError(code, message, answer.refusal);
}

function ended(reason: string, cause?: unknown) {
  return modelError("MOD_THREAD_ENDED", `a thread of the computation failed: ${reason}`, {
    data: { reason },
    cause,
  });
}
