/** A thread that computes rows' gradients on a shared arena: asked by tune-adapter.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { answerRowTask, joinRowTeam } from "./row-seat.ts";
import type { RowSeat, RowTask } from "./row-task.ts";

const own = joinRowTeam(workerData as RowSeat);
parentPort!.on("message", (task: RowTask) => parentPort!.postMessage(answerRowTask(own, task)));
