/**
 * Reports to the sequencer what became of its batches on L1, for the publisher and posted-watcher.ts: submitted, posted, final,
 * dropped.
 */
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BridgeMetrics, PublishResult } from "../../metrics.ts";
import type { BatchReport, OperatorClient } from "../operator-client.ts";
import type { IntendedBatch } from "./publish-intent.ts";

/** Reports the fate of batches to the sequencer, and counts transactions by it. */
export class PublishReporter {
  readonly #modules: { sequencer: OperatorClient; logger: Logger; metrics: BridgeMetrics };

  constructor(modules: { sequencer: OperatorClient; logger: Logger; metrics: BridgeMetrics }) {
    this.#modules = modules;
  }

  /** One report a batch. @throws SRV_SEQUENCER_UNREACHABLE; then the caller leaves its own record as it is */
  async report(batches: readonly IntendedBatch[], report: Omit<BatchReport, "batchHash">): Promise<void> {
    for (const { batchHash, batchNumber } of batches) {
      try {
        await this.#modules.sequencer.reportBatch(batchNumber, { batchHash, ...report });
      } catch (error) {
        // The sequencer may have closed this batch again. L1's state does not depend on the answer.
        if (!isRollupError(error, "SRV_SEQUENCER_REFUSED")) throw error;
        this.#modules.metrics.errorTotal.inc({ code: error.code });
        this.#modules.logger.warn(
          { batchNumber, status: report.status, reason: error.message },
          "the sequencer refuses the report",
        );
      }
    }
    this.count(report.status);
  }

  count(result: PublishResult): void {
    this.#modules.metrics.publishTotal.inc({ result });
  }
}
