import { TaskPool } from "@openledger/foundation/threads/task-pool";
import { servingError } from "../model-errors.ts";
import type { AttributionSeat } from "./attribution-tasks.ts";

/** Queries and estimates of registered models, beside the thread that serves HTTP. */
export type AttributionThread = TaskPool<typeof import("./attribution-tasks.ts")>;

/**
 * Resolves once the base is loaded. A thread that dies fails its task, and another one takes its place.
 * @throws RollupError what the base is refused for; SRV_STOPPING. Tasks: what the model's files and the prompt are
 *   refused for; SRV_STOPPING
 */
export async function startAttribution(seat: AttributionSeat): Promise<AttributionThread> {
  const pool: AttributionThread = new TaskPool({
    tasks: new URL("./attribution-tasks.ts", import.meta.url),
    seat,
    threadCount: 1,
    isWarm: true,
    ended: (cause) =>
      servingError("SRV_STOPPING", `the thread that attributes ended: ${cause.message}`, { cause }),
  });
  try {
    await pool.run("open", null);
    return pool;
  } catch (error) {
    await pool.close();
    throw error;
  }
}
