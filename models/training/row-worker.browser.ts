/** The twin of `row-worker.ts` in a page: a worker that computes rows' gradients on shared memory. */
import { answerRowTask, joinRowTeam } from "./row-seat.ts";
import type { RowSeat, TeamTask } from "./row-task.ts";
import type { RowAnswer } from "./row-thread.ts";

const port = globalThis as unknown as {
  onmessage: (event: { readonly data: { readonly seat: RowSeat } | { readonly task: TeamTask } }) => void;
  postMessage(answer: RowAnswer): void;
};

let own: ReturnType<typeof joinRowTeam>;
port.onmessage = ({ data }) => {
  if ("seat" in data) own = joinRowTeam(data.seat);
  else port.postMessage(answerRowTask(own, data.task));
};
