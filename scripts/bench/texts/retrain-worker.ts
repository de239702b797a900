/** A process that retrains a share of what is not in the cache yet, and says each one to its parent. */
import { baseNumbers } from "./base-model.ts";
import { keptLosses, type Retraining, retrainer, retrainingPath } from "./retraining.ts";
import type { TextSetting } from "./setting.ts";

export interface RetrainOrder {
  readonly setting: TextSetting;
  readonly retrainings: readonly Retraining[];
}

process.on("message", async ({ retrainings, setting }: RetrainOrder) => {
  const base = await baseNumbers(setting, 1, () => {});
  const retrain = await retrainer(setting, base);
  for (const retraining of retrainings) {
    if ((await keptLosses(retrainingPath(setting, base, retraining))) === null) await retrain(retraining);
    process.send!("done");
  }
  process.disconnect();
});
