/**
 * Watch over mined batches until they are final, through reorganisations of L1: reports posted, final and
 * dropped to the sequencer, then changes the bridge's own record. The loop of batches calls `poll`.
 */
import type { Logger } from "@openledger/foundation/logger";
import type { TransactionReceipt } from "viem";
import { l1Call } from "../../l1/l1-client.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import { findReceipt, isCanonical } from "../../l1/submission/posted-batch.ts";
import type { BridgeMetrics } from "../../metrics.ts";
import type {
  Attempt,
  IntendedBatch,
  IntentStore,
  PostedRecord,
  PublishIntent,
} from "../publishing/publish-intent.ts";
import type { PublishReporter } from "../publishing/publish-reporter.ts";
import type { PublishStep } from "../publishing/transaction-sender.ts";

interface PostedWatcherModules {
  readonly rollup: RollupContract;
  readonly store: IntentStore;
  readonly reporter: PublishReporter;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  readonly onStep: (step: PublishStep) => void | Promise<void>;
}

/** Follows mined transactions with batches until they are final. */
export class PostedWatcher {
  readonly #finalityDepthBlocks: number;
  readonly #modules: PostedWatcherModules;

  constructor(options: { finalityDepthBlocks: number }, modules: PostedWatcherModules) {
    this.#finalityDepthBlocks = options.finalityDepthBlocks;
    this.#modules = modules;
  }

  /**
   * Reports batches that became final, and those that L1 forgot or moved.
   * @throws BRG_L1_*, SRV_SEQUENCER_UNREACHABLE
   */
  async poll(): Promise<void> {
    const { logger, metrics, rollup, store } = this.#modules;
    const records = await store.posted();
    if (records.length === 0) return;
    const headNumber = Number(
      await l1Call("read the newest block's number", () => rollup.client.getBlockNumber()),
    );
    for (const record of records) {
      const isOnChain = await isCanonical(rollup.client, record);
      // A node that lags, or a chain that was cut: the node will have a block of this number, and then it shows.
      if (isOnChain === null) continue;
      if (!isOnChain) {
        await this.#afterReorganisation(record);
        continue;
      }
      if (headNumber - record.blockNumber + 1 < this.#finalityDepthBlocks) continue;
      const { batches, blockNumber, transactionHash } = record;
      await this.#modules.reporter.report(batches, { status: "final", transactionHash, blockNumber });
      await store.removePosted(record);
      metrics.finalizedBatch.set(batches.at(-1)!.batchNumber);
      logger.info(facts(record), "batches are final");
    }
  }

  async #afterReorganisation(record: PostedRecord): Promise<void> {
    const { logger, metrics, rollup, store } = this.#modules;
    metrics.reorganisationTotal.inc();
    const hashes = [record.transactionHash, ...record.attempts.map((a) => a.transactionHash)];
    const receipt = await findReceipt(rollup.client, hashes);
    if (receipt?.status === "success") {
      logger.warn(
        { ...facts(record), newBlockNumber: Number(receipt.blockNumber) },
        "L1 moved the batches to another block",
      );
      const attempt = record.attempts.find((a) => a.transactionHash === receipt.transactionHash);
      const batches = attempt?.batches ?? record.batches;
      await this.settle(null, batches, record, receipt);
      // Another attempt of the same nonce may hold other batches; its record then has another key.
      if (batches[0]!.batchNumber !== record.batches[0]!.batchNumber) await store.removePosted(record);
      return;
    }
    logger.warn(facts(record), "L1 forgot the batches");
    await this.#modules.reporter.report(record.batches, {
      status: "dropped",
      transactionHash: record.transactionHash,
      reason: "reorganised",
    });
    if (receipt !== null || record.nonce === null || record.attempts.length === 0) {
      // Mined again without effect, or not a transaction of ours: L1's state decides what is left to do.
      await store.removePosted(record);
      return;
    }
    await store.turnIntoIntent(record, { nonce: record.nonce, attempts: record.attempts, isGivenUp: false });
  }

  /** Reports and stores that batches are in a block; `intent` is their origin, if it still holds. */
  async settle(
    intent: PublishIntent | null,
    batches: readonly IntendedBatch[],
    origin: { nonce: number | null; attempts: readonly Attempt[] },
    receipt: TransactionReceipt,
  ): Promise<void> {
    const { logger, metrics, store } = this.#modules;
    const record: PostedRecord = {
      nonce: origin.nonce,
      attempts: [...origin.attempts],
      batches: [...batches],
      transactionHash: receipt.transactionHash,
      blockNumber: Number(receipt.blockNumber),
      blockHash: receipt.blockHash,
    };
    const { blockNumber, transactionHash } = record;
    const gasUsed = Number(receipt.gasUsed);
    // EthereumJS 0.10.5 reports 0 for every transaction, which is no price: the operator's account counts such a batch as
    // unpriced.
    const price = receipt.effectiveGasPrice === 0n ? {} : { gasPriceWei: receipt.effectiveGasPrice };
    const inclusion = { transactionHash, blockNumber, gasUsed, ...price };
    await this.#modules.reporter.report(batches, { status: "posted", ...inclusion });
    await this.#modules.onStep("after-report");
    if (intent === null) await store.savePosted(record);
    else await store.turnIntoPosted(intent, record);
    metrics.postedBatch.set(batches.at(-1)!.batchNumber);
    metrics.publishGasTotal.inc(gasUsed);
    logger.info({ ...facts(record), gasUsed }, "batches are on L1");
  }
}

/** Fields of a log line about a transaction with batches. */
export const facts = (record: {
  batches: readonly IntendedBatch[];
  transactionHash: string;
  blockNumber?: number;
}) => ({
  batchNumbers: record.batches.map((batch) => batch.batchNumber),
  transactionHash: record.transactionHash,
  ...(record.blockNumber === undefined ? {} : { blockNumber: record.blockNumber }),
});
