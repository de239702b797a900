/**
 * Process that text-attribution.ts starts: retrains a share of the halves that are not in the cache yet, and reports each to its
 * parent.
 */
import { type Retraining, retrained } from "./retraining.ts";
import { openWorld, type TextSetting } from "./setting.ts";

export interface RetrainOrder {
  readonly setting: TextSetting;
  readonly retrainings: readonly Retraining[];
}

process.on("message", async ({ retrainings, setting }: RetrainOrder) => {
  const world = await openWorld(setting);
  for (const retraining of retrainings) {
    await retrained(world, retraining);
    process.send!("done");
  }
  process.disconnect();
});
