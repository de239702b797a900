/** Entry of a training thread: runs the tasks of row-task.ts on a shared arena. tune-adapter.ts starts it. */
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import { type TokenRow, targetLosses } from "../../engine/architecture/loss-gradient.ts";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import { joinKernels } from "../../engine/kernels/create-kernels.ts";
import { type RowSeat, runTask, type TeamTask } from "./row-task.ts";

const { model, shared, threadIndex } = taskSeat<RowSeat>();
const own: Transformer = { ...model, kernels: joinKernels(shared, threadIndex) };

export const run = (task: TeamTask): number => runTask(own, task);
export const lossesOf = (row: TokenRow): number[] => targetLosses(own, row);
