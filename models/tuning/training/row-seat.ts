/** Work of a thread of a row team, wherever it runs. */
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import { joinKernels } from "../../engine/kernels/create-kernels.ts";
import { type RowSeat, runTask, type TeamTask } from "./row-task.ts";
import type { RowAnswer } from "./row-thread.ts";

export function joinRowTeam({ model, shared, threadIndex }: RowSeat): Transformer {
  return { ...model, kernels: joinKernels(shared, threadIndex) };
}

export function answerRowTask(model: Transformer, task: TeamTask): RowAnswer {
  try {
    return { loss: runTask(model, task) };
  } catch (failure) {
    if (!isRollupError(failure)) return { failure };
    return { refusal: { code: failure.code, message: failure.message, data: failure.data } };
  }
}
