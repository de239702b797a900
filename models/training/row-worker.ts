/** A thread that computes rows' gradients on a shared arena: asked by row-team.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { joinKernels } from "../kernels/create-kernels.ts";
import { type RowSeat, type RowTask, runRowTask } from "./row-task.ts";

export type RowAnswer = { readonly loss: number } | { readonly failure: unknown };

const { model, shared, threadIndex } = workerData as RowSeat;
const own = { ...model, kernels: joinKernels(shared, threadIndex) };

parentPort!.on("message", (task: RowTask) => {
  let answer: RowAnswer;
  try {
    answer = { loss: runRowTask(own, task) };
  } catch (failure) {
    answer = { failure };
  }
  parentPort!.postMessage(answer);
});
