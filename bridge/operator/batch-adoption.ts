/**
 * Adoption of batches that L1 has although no record of the bridge says so: its database was lost, or somebody
 * copied the transaction. The publisher then follows them like its own.
 */
import type { Logger } from "@openledger/foundation/logger";
import { toHex } from "viem";
import type { RollupContract } from "../l1/rollup-contract.ts";
import { findPostedBatch, findReceipt } from "../l1/submission/posted-batch.ts";
import { isOurs } from "./foreign-batches.ts";
import type { OperatorClient, ReadyBatch } from "./operator-client.ts";
import { type IntentStore, intendedBatch } from "./publishing/publish-intent.ts";
import type { PublishReporter } from "./publishing/publish-reporter.ts";
import type { PostedWatcher } from "./watching/posted-watcher.ts";

interface BatchAdoptionModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly store: IntentStore;
  readonly posted: PostedWatcher;
  readonly reporter: PublishReporter;
  /** Batches that were reported as dropped: once is enough. */
  readonly droppedHashes: Set<string>;
  readonly logger: Logger;
}

interface BatchAdoptionOptions {
  readonly deployedAtBlock: number;
  readonly maxChunkBlocks: number;
}

export class BatchAdoption {
  readonly #options: BatchAdoptionOptions;
  readonly #modules: BatchAdoptionModules;
  #areRecordsComplete = false;

  constructor(options: BatchAdoptionOptions, modules: BatchAdoptionModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Takes note of a batch of this number that L1 has. */
  async adopt(batch: Pick<ReadyBatch, "batchHash" | "batchNumber" | "data">): Promise<void> {
    const { droppedHashes, logger, reporter, rollup, sequencer } = this.#modules;
    const { deployedAtBlock, maxChunkBlocks } = this.#options;
    const chain = await sequencer.chain();
    const fromBlock = BigInt(chain.finalBlockNumber ?? deployedAtBlock);
    const posted = await findPostedBatch({ rollup, fromBlock, maxChunkBlocks }, batch.batchNumber);
    if (posted === null) return;
    const mine = intendedBatch(batch);
    if (isOurs(chain, posted)) {
      const receipt = await findReceipt(rollup.client, [posted.transactionHash]);
      if (receipt !== null)
        await this.#modules.posted.settle(null, [mine], { nonce: null, attempts: [] }, receipt);
      return;
    }
    if (droppedHashes.has(batch.batchHash)) return;
    const { transactionHash } = posted;
    const l1Root = `0x${posted.root.toString(16)}`;
    logger.warn(
      { batchNumber: batch.batchNumber, newRoot: mine.newRoot, l1Root, transactionHash },
      "L1 took another batch in this one's place",
    );
    await reporter.report([mine], { status: "dropped", transactionHash, reason: "superseded" });
    droppedHashes.add(batch.batchHash);
  }

  /** The sequencer has taken over batches of others, which no record of ours follows yet. */
  lookAgain(): void {
    this.#areRecordsComplete = false;
  }

  /**
   * Batches that the sequencer calls posted and that no record of ours follows to their end: without it they would
   * never be final. Once a start, for only before one can a database be lost, and after `lookAgain`.
   */
  async adoptPosted(l1BatchNumber: number): Promise<void> {
    if (this.#areRecordsComplete) return;
    const records = await this.#modules.store.posted();
    const followed = new Set(records.flatMap((record) => record.batches.map((batch) => batch.batchNumber)));
    const { positions } = await this.#modules.sequencer.chain();
    for (const { batchHash, batchNumber, root, status } of positions) {
      if (status !== "posted" || batchHash === undefined) continue;
      if (batchNumber > l1BatchNumber || followed.has(batchNumber)) continue;
      await this.adopt({ batchNumber, batchHash, data: toHex(root, { size: 32 }) });
    }
    this.#areRecordsComplete = true;
  }
}
