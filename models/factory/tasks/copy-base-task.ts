/** Fetches a hub's base for the factory's list, in a process of its own: task-process.ts runs it. */
import { addBase } from "../../tuning/recipe/add-base.ts";
import type { BaseCopyTask, Say, TaskResults } from "./task-messages.ts";

/** Without the operator's token: accounts get what everyone may read. @throws RollupError of `addBase` */
export async function copyBase(task: BaseCopyTask, say: Say): Promise<TaskResults["baseCopy"]> {
  const { bases, kernels, place } = task;
  const { folder } = await addBase(place, bases, {
    kernels,
    onProgress: ({ done, total }) => void say({ kind: "copy", done, total }),
  });
  return { folder };
}
