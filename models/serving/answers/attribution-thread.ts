/**
 * The answer server's side of the thread that computes for registered models (attribution-tasks.ts). answer-models.ts starts
 * one.
 */
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import { servingError } from "../../model-errors.ts";
import type { AttributionSeat, SeatedModel } from "./attribution-tasks.ts";

type Tasks = typeof import("./attribution-tasks.ts");

/**
 * Answers, queries and estimates of registered models, beside the thread that serves HTTP. A thread that dies fails its task
 * (SRV_STOPPING), and another one with the same models takes its place.
 */
export class AttributionThread {
  /** Models of each thread at its start, also of one that takes another's place. */
  readonly #models: SeatedModel[];
  readonly #pool: TaskPool<Tasks>;
  readonly run: TaskPool<Tasks>["run"];

  private constructor({ models, ...seat }: AttributionSeat) {
    this.#models = [...models];
    this.#pool = new TaskPool({
      tasks: new URL("./attribution-tasks.ts", import.meta.url),
      seat: { ...seat, models: this.#models },
      threadCount: 1,
      // It has all models that the operator serves; what strangers ask is bounded before it comes here.
      maxHeapMb: OWN_WORK_HEAP_MB,
      isWarm: true,
      ended: (cause) =>
        servingError("SRV_STOPPING", `the thread that attributes ended: ${cause.message}`, { cause }),
    });
    this.run = this.#pool.run.bind(this.#pool) as TaskPool<Tasks>["run"];
  }

  /**
   * Resolves once the base of the language models is loaded.
   * @throws RollupError what the base is refused for; SRV_STOPPING. Tasks: what the model's files and the prompt are
   *   refused for; SRV_STOPPING
   */
  static async start(seat: AttributionSeat): Promise<AttributionThread> {
    const thread = new AttributionThread(seat);
    try {
      await thread.run("open", null);
      return thread;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** @throws RollupError what the base is refused for */
  async add(model: SeatedModel): Promise<void> {
    await this.run("add", [model]);
    this.#models.push(model);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
