/**
 * Process that work-shares.ts starts: makes a share of the retrainings and metagradients that are not in the cache yet, and
 * reports each to its parent.
 */
import { cachedMetagradients, type QueryRange } from "./metagradient-cache.ts";
import { type Retraining, retrained } from "./retraining.ts";
import { openWorld, type TextSetting } from "./setting.ts";

export type RetrainTask = Retraining | QueryRange;

export interface RetrainOrder {
  readonly setting: TextSetting;
  readonly tasks: readonly RetrainTask[];
}

process.on("message", async ({ setting, tasks }: RetrainOrder) => {
  const world = await openWorld(setting);
  for (const task of tasks) {
    await ("indices" in task ? retrained(world, task) : cachedMetagradients(world, task));
    process.send!("done");
  }
  process.disconnect();
});
