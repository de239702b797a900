/** Process that computes one task for the factory and ends: task-entry.js loads it, child-task.ts starts and watches it. */
import { endWithParent } from "@openledger/foundation/end-with-parent";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type { FactoryTask, Say, TaskMessage, TaskOrder, TaskWish } from "./task-messages.ts";

const send = (message: TaskMessage): Promise<void> =>
  new Promise((resolve, reject) =>
    process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error))),
  );

let wish: TaskWish | null = null;
let messageCount = 0;
/** Messages that the parent has not stored yet, in their order. */
const waiting: { readonly count: number; readonly resolve: () => void }[] = [];

const say: Say = (message) => {
  messageCount += 1;
  const count = messageCount;
  const stored = new Promise<void>((resolve) => waiting.push({ count, resolve }));
  return send(message).then(() => stored);
};

process.once("message", (task: FactoryTask) => {
  process.on("message", (order: TaskOrder) => {
    if ("wish" in order) wish = order.wish;
    else while (waiting.length > 0 && waiting[0]!.count <= order.storedCount) waiting.shift()!.resolve();
  });
  void compute(task);
});
// The parent is gone: the next worker continues from the state in the database.
endWithParent(1);
// A terminal's Ctrl-C goes to the whole group; the parent decides when this ends.
process.on("SIGINT", () => {});

async function compute(task: FactoryTask): Promise<void> {
  try {
    const result = await resultOf(task);
    await send(result === "paused" ? { kind: "paused" } : { kind: "result", result });
    process.exit(0);
  } catch (error) {
    const typed = isRollupError(error) ? error : outOfSpace(error);
    const { code, data, message } = typed.toJSON() as { code: string; message: string; data: object };
    await send({ kind: "failed", failure: { code, message, data } });
    process.exit(0);
  }
}

async function resultOf(task: FactoryTask): Promise<unknown> {
  switch (task.mode) {
    case "base":
      return (await import("./describe-base.ts")).describeBaseAt(task.place);
    case "basePlan":
      return (await import("../../tuning/recipe/add-base.ts")).planBase(task.place, task.bases);
    case "baseCopy":
      return (await import("./copy-base-task.ts")).copyBase(task, say);
    case "plan":
      return (await import("./plan-task.ts")).plan(task);
    case "train":
      return (await import("./train-task.ts")).train(task, { say, wish: () => wish });
    case "measure":
      return (await import("./measure-task.ts")).measure(task);
    case "compare":
      return (await import("./compare-task.ts")).compare(task);
    case "merge":
      return (await import("./merge-task.ts")).merge(task);
    case "activation":
      return (await import("./activation-task.ts")).proveActivation(task, say);
    default:
      return task satisfies never;
  }
}

function outOfSpace(cause: unknown) {
  const { code, message, stack } = cause as { code?: unknown; message?: string; stack?: string };
  if (code === "ENOSPC" || code === "EDQUOT")
    return factoryError("SRV_DISK_FULL", "the disk is full", { cause });
  process.stderr.write(`${stack}\n`);
  return factoryError("SRV_INTERNAL", `unforeseen: ${message}`, { cause });
}
