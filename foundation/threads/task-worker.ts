/** The other end of task-thread.ts. */
import { parentPort } from "node:worker_threads";
import { failureOf, type Outcome, outcomeOf, valueIn } from "./task-outcome.ts";
import type { TaskNews, TaskOrder } from "./task-thread.ts";

const tell = (news: TaskNews) => {
  try {
    parentPort!.postMessage(news);
  } catch (error) {
    // An error may carry what cannot be copied, a function say.
    if (!("done" in news)) throw error;
    const failure = new Error(`the outcome does not pass between threads: ${String(error)}`);
    parentPort!.postMessage({ ...news, done: { failure } } satisfies TaskNews);
  }
};
const questions = new Map<number, (answer: Outcome) => void>();
let nextAskId = 1;

/** Asks the parent thread a question. @throws what the parent throws */
export async function ask(question: unknown): Promise<unknown> {
  const askId = nextAskId++;
  const answer = await new Promise<Outcome>((settle) => {
    questions.set(askId, settle);
    tell({ askId, question });
  });
  return valueIn(answer);
}

/**
 * Runs tasks one after another, once `open` has ended. If `open` throws, the error is reported and the thread
 * ends. A task may report its results so far.
 */
export async function serveTasks<Task>(
  open: () => Promise<(task: Task, tellPart: (part: unknown) => void) => Promise<unknown>>,
): Promise<void> {
  const work = await open().catch((error: unknown) => {
    // Not thrown as well: the thread's `error` event may overtake this message and would hide the reason.
    tell({ ready: failureOf(error) });
    return null;
  });
  if (work === null) return;
  let last: Promise<unknown> = Promise.resolve();
  parentPort!.on("message", (order: TaskOrder) => {
    if ("askId" in order) {
      questions.get(order.askId)?.(order.answer);
      questions.delete(order.askId);
      return;
    }
    const { id, task } = order;
    const tellPart = (part: unknown) => tell({ id, part });
    last = last.then(async () => tell({ id, done: await outcomeOf(() => work(task as Task, tellPart)) }));
  });
  tell({ ready: { value: null } });
}
