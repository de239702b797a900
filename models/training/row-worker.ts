/** A thread that computes rows' gradients on a shared arena: asked by row-team.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { joinKernels } from "../kernels/create-kernels.ts";
import { type RowSeat, type RowTask, runRowTask } from "./row-task.ts";

/** A refusal as its parts: classes do not survive the way between threads. */
export type RowAnswer =
  | { readonly loss: number }
  | { readonly refusal: { readonly code: string; readonly message: string; readonly data: object } }
  | { readonly failure: unknown };

const { model, shared, threadIndex } = workerData as RowSeat;
const own = { ...model, kernels: joinKernels(shared, threadIndex) };

parentPort!.on("message", (task: RowTask) => {
  let answer: RowAnswer;
  try {
    answer = { loss: runRowTask(own, task) };
  } catch (failure) {
    answer = isRollupError(failure)
      ? { refusal: { code: failure.code, message: failure.message, data: failure.data } }
      : { failure };
  }
  parentPort!.postMessage(answer);
});
