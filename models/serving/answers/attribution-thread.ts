import type { RollupError } from "@openledger/foundation/rollup-error";
import { TaskThread } from "@openledger/foundation/threads/task-thread";
import { servingError } from "../../model-errors.ts";
import type { AttributionResults, AttributionSeat, AttributionTask } from "./attribution-worker.ts";

/** Answers, queries and estimates of registered models, beside the thread that serves HTTP. */
export type AttributionThread = TaskThread<AttributionTask, AttributionResults>;

/**
 * Resolves once the base of the language models is loaded.
 * @param onEnd called if the thread ends by itself: nothing is attributed any more
 * @throws RollupError what the base is refused for; SRV_STOPPING. Tasks: what the model's files and the prompt are
 *   refused for; SRV_STOPPING
 */
export function startAttribution(
  seat: AttributionSeat,
  onEnd: (error: RollupError) => void,
): Promise<AttributionThread> {
  const entry = new URL("./attribution-worker-entry.js", import.meta.url);
  const ended = (cause: Error) =>
    servingError("SRV_STOPPING", `nothing is attributed any more: ${cause.message}`, { cause });
  return TaskThread.start({ entry, seat, ended, onEnd });
}
