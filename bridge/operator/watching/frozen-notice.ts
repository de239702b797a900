/**
 * Watch over the rollup's freeze on L1, which stops the loops of batches, randomness and settlements. The queue
 * loop looks at it first.
 */
import type { Logger } from "@openledger/foundation/logger";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../../metrics.ts";

interface FrozenNoticeModules {
  readonly rollup: RollupContract;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
}

/** State of a freeze on L1, with an alarm as long as it lasts: no batch is published then, and no entry handed over. */
export class FrozenNotice {
  readonly #modules: FrozenNoticeModules;
  /** State at the last read. */
  isFrozen = false;

  constructor(modules: FrozenNoticeModules) {
    this.#modules = modules;
  }

  /** Reads the newest block's state: a reorganisation can still take a freeze back. @throws BRG_L1_* */
  async look(): Promise<boolean> {
    const { logger, metrics, rollup } = this.#modules;
    const { batchNumber, isFrozen } = await rollup.state();
    if (isFrozen === this.isFrozen) return isFrozen;
    this.isFrozen = isFrozen;
    if (isFrozen) {
      raiseAlarm(metrics, "BRG_FROZEN");
      metrics.errorTotal.inc({ code: "BRG_FROZEN" });
      logger.error(
        { code: "BRG_FROZEN", batchNumber },
        "the rollup is frozen: nothing is published any more",
      );
    } else {
      clearAlarm(metrics, "BRG_FROZEN");
      logger.warn({ batchNumber }, "L1 took the freeze back");
    }
    return isFrozen;
  }
}
