import { factoryError } from "../factory-errors.ts";
import { ChildTask } from "./child-task.ts";
import type { EventsMessage, FactoryTask, StageMessage, TaskResults } from "./task-messages.ts";

/** Short computations that are asked for meanwhile: one of each account at a time, a few in all. */
export class SideTasks {
  readonly #most: number;
  readonly #running = new Map<number, ChildTask<FactoryTask["mode"]>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws MOD_FACTORY_JOBS_FULL, and what the task throws */
  async run<Mode extends Exclude<FactoryTask["mode"], "train">>(
    leafId: number,
    task: Extract<FactoryTask, { readonly mode: Mode }>,
    onMessage?: (message: EventsMessage | StageMessage) => Promise<void>,
  ): Promise<TaskResults[Mode]> {
    if (this.#running.has(leafId) || this.#running.size >= this.#most)
      throw factoryError("MOD_FACTORY_JOBS_FULL", "another computation of the account, or of others, runs", {
        data: { what: "computations", most: this.#running.has(leafId) ? 1 : this.#most },
      });
    const child = new ChildTask<Mode>(task, onMessage);
    this.#running.set(leafId, child as never);
    try {
      return (await child.ended).result!;
    } finally {
      this.#running.delete(leafId);
    }
  }

  async close(): Promise<void> {
    const tasks = [...this.#running.values()];
    for (const task of tasks) task.kill();
    await Promise.allSettled(tasks.map(({ ended }) => ended));
  }
}
