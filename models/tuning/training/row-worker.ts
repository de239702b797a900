/** Thread that computes rows' gradients on a shared arena, for tune-adapter.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { answerRowTask, joinRowTeam } from "./row-seat.ts";
import type { RowSeat, TeamTask } from "./row-task.ts";

const own = joinRowTeam(workerData as RowSeat);
parentPort!.on("message", (task: TeamTask) => parentPort!.postMessage(answerRowTask(own, task)));
