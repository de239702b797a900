/**
 * Brings proven batches to L1 and follows them until they are final.
 *
 * One transaction is on its way at a time. Before it is sent, it is written down signed; replacements keep its nonce. So
 * wherever a kill interrupts, at most one of all transactions that were ever signed for a nonce takes effect, and a
 * restart finds it by its hash. Reports to the sequencer may repeat: every change of our own record comes after the
 * report that belongs to it.
 */

import { paddedGas } from "@openledger/contracts/l1/fee-policy";
import type { Logger } from "@openledger/foundation/logger";
import { type LocalAccount, size, type TransactionReceipt } from "viem";
import type { BlobWork } from "../../blobs/blob-thread.ts";
import { bridgeError } from "../../bridge-errors.ts";
import { l1Call, revertOf } from "../../l1/l1-client.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import { findReceipt } from "../../l1/submission/posted-batch.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../../metrics.ts";
import { BatchAdoption } from "../batch-adoption.ts";
import { ForeignBatches } from "../foreign-batches.ts";
import { ObservationDebounce } from "../observation-debounce.ts";
import type { OperatorClient, ReadyBatch } from "../operator-client.ts";
import { facts, PostedWatcher } from "../watching/posted-watcher.ts";
import {
  type Bundle,
  type BundleLimits,
  type BundleView,
  chooseBundle,
  consecutive,
  maxGasLimit,
} from "./batch-bundle.ts";
import { type BlobMaker, createBlobMaker } from "./bundle-blobs.ts";
import {
  type Attempt,
  type Errand,
  type IntentStore,
  intendedBatch,
  type PublishIntent,
} from "./publish-intent.ts";
import {
  callOf,
  classifyRefusal,
  dropReason,
  isFiller,
  type RefusalClass,
  revertText,
  whyRefused,
} from "./publish-refusal.ts";
import { PublishReporter } from "./publish-reporter.ts";
import { RevertPatience } from "./revert-patience.ts";
import { type PublishStep, type TransactionDraft, TransactionSender } from "./transaction-sender.ts";

export interface BatchPublisherOptions {
  readonly chainId: number;
  readonly deployedAtBlock: number;
  /** Blocks that must hold or follow somebody else's batch before the sequencer builds on it. */
  readonly confirmations: number;
  /** A batch is final once its block and the ones after it are this many. */
  readonly finalityDepthBlocks: number;
  /** A transaction that is not mined for this long is replaced by one that pays more. */
  readonly resendAfterMs: number;
  readonly maxFeePerGasWei: bigint;
  /** Maximum tip of a first attempt. A node may name any tip, and the block's builder earns it. */
  readonly maxPriorityFeePerGasWei: bigint;
  /** Maximum price of a unit of blob gas. */
  readonly maxFeePerBlobGasWei: bigint;
  readonly limits: BundleLimits;
  readonly maxChunkBlocks: number;
}

export interface BatchPublisherModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly store: IntentStore;
  /** Account that pays; its nonces must have no other user. */
  readonly account: LocalAccount;
  /** Index on L1 of a circuit's name. */
  readonly circuitIndex: (name: string) => number;
  /** Makes the blobs of ready batches from the sequencer's data. */
  readonly blobs: BlobWork;
  /** Next errand of this account, if any; called when no transaction is on its way. */
  readonly nextErrand?: () => Promise<Errand | null>;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  readonly nowMs?: () => number;
  readonly onStep?: (step: PublishStep) => void | Promise<void>;
}

// A nonce counts as lost after so many observations: nodes behind one address lag behind each other, by a block or two.
const NONCE_IS_LOST = { looks: 3, blocks: 2 };
// A batch counts as refused after so many observations, about a minute of mainnet. A node that lags for longer will not
// catch up soon. Guess.
const REFUSED_FOR_GOOD = { looks: 3, blocks: 5 };

export class BatchPublisher {
  readonly #options: BatchPublisherOptions;
  readonly #modules: BatchPublisherModules;
  readonly #reporter: PublishReporter;
  readonly #sender: TransactionSender;
  readonly #posted: PostedWatcher;
  readonly #foreign: ForeignBatches;
  readonly #adoption: BatchAdoption;
  readonly #nowMs: () => number;
  readonly #onStep: (step: PublishStep) => void | Promise<void>;
  readonly #makeBlobs: BlobMaker;
  /** Time of this process's last attempt by nonce; absent after a restart, so that an unsent transaction is sent. */
  readonly #lookedAtMs = new Map<number, number>();
  /** Number of the account's transactions on L1 at that time. */
  #lookedAtMinedCount = -1;
  readonly #lostNonces = new ObservationDebounce(NONCE_IS_LOST);
  /** Batches that L1 refused, by their hashes. */
  readonly #refusals = new ObservationDebounce(REFUSED_FOR_GOOD);
  readonly #patience = new RevertPatience();
  /** The newest block that this process used for a decision, or in which it found a transaction of its own. */
  #newestBlock = 0n;
  /** Batches that were reported as dropped before they were sent: once is enough. */
  readonly #droppedHashes = new Set<string>();

  constructor(options: BatchPublisherOptions, modules: BatchPublisherModules) {
    this.#options = options;
    this.#modules = modules;
    this.#nowMs = modules.nowMs ?? Date.now;
    this.#onStep = modules.onStep ?? (() => {});
    this.#makeBlobs = createBlobMaker(modules.blobs);
    this.#reporter = new PublishReporter(modules);
    const { logger, metrics, rollup, sequencer, store } = modules;
    this.#foreign = new ForeignBatches(options, { rollup, sequencer, logger });
    this.#posted = new PostedWatcher(options, {
      rollup,
      store,
      reporter: this.#reporter,
      logger,
      metrics,
      onStep: this.#onStep,
    });
    this.#adoption = new BatchAdoption(options, {
      rollup,
      sequencer,
      store,
      posted: this.#posted,
      reporter: this.#reporter,
      droppedHashes: this.#droppedHashes,
      logger,
    });
    this.#sender = new TransactionSender({
      client: modules.rollup.client,
      to: modules.rollup.address,
      chainId: options.chainId,
      maxPriorityFeePerGasWei: options.maxPriorityFeePerGasWei,
      maxFeePerBlobGasWei: options.maxFeePerBlobGasWei,
      account: modules.account,
      store: modules.store,
      nowMs: this.#nowMs,
      onStep: this.#onStep,
      blobs: modules.blobs,
    });
  }

  /**
   * Does due work: follows posted batches, looks after the transaction on its way, submits ready batches.
   * @throws BRG_PUBLISH_REFUSED as long as L1 refuses a batch at several blocks; BRG_BATCH_TOO_LARGE, BRG_L1_*,
   * BRG_SEQUENCER_*. Called again after any of them, it goes on where it can
   */
  async poll(): Promise<void> {
    await this.#posted.poll();
    if (await this.#followIntents()) await this.#submitNext();
  }

  // Signed transactions that are not mined.

  /** @returns true where no transaction is on its way: one that was given up waits until its nonce is taken over */
  async #followIntents(): Promise<boolean> {
    const intents = await this.#modules.store.intents();
    for (const intent of intents) {
      const receipt = await this.#receiptOf(intent);
      if (receipt !== null) {
        await this.#settle(intent, receipt);
        continue;
      }
      const minedCount = await this.#sender.minedCount();
      if (minedCount > intent.nonce) {
        if (!(await this.#loseNonce(intent))) return false;
      } else if (!intent.isGivenUp) {
        if (this.#isKeptOut(intent, minedCount)) await this.#fillGap(intents, minedCount);
        else await this.#lookAfter(intent, minedCount);
        return false; // Later nonces wait for this one.
      }
    }
    return true;
  }

  #receiptOf(intent: PublishIntent): Promise<TransactionReceipt | null> {
    return findReceipt(
      this.#modules.rollup.client,
      intent.attempts.map((a) => a.transactionHash),
    );
  }

  /** One of the intent's transactions was mined. */
  async #settle(intent: PublishIntent, receipt: TransactionReceipt): Promise<void> {
    const attempt = intent.attempts.find((a) => a.transactionHash === receipt.transactionHash)!;
    this.#lookedAtMs.delete(intent.nonce);
    this.#lostNonces.forget(String(intent.nonce));
    if (receipt.blockNumber > this.#newestBlock) this.#newestBlock = receipt.blockNumber;
    if (receipt.status === "success") {
      await this.#onStep("after-mine");
      if (attempt.batches.length === 0) {
        // The source of the errand reads L1's state, and returns it again if L1 forgets it. Nobody misses a filler.
        await this.#modules.store.removeIntent(intent);
        const { transactionHash } = attempt;
        const what = isFiller(attempt, this.#modules.account.address) ? "a filler" : "an errand";
        this.#modules.logger.info({ transactionHash, nonce: intent.nonce }, `${what} is on L1`);
        return;
      }
      await this.#posted.settle(intent, attempt.batches, intent, receipt);
      this.#patience.noteSuccess();
      clearAlarm(this.#modules.metrics, "BRG_PUBLISH_REVERTED");
      return;
    }
    const head = await this.#head();
    if (head.number < receipt.blockNumber) throw lagging(head.number, receipt.blockNumber);
    const { reason, refusal } = await this.#whyRefused(attempt, head.number);
    this.#modules.logger.warn(
      { ...facts(attempt), nonce: intent.nonce, refusal, reason },
      "the transaction was mined and reverted",
    );
    this.#reporter.count("reverted");
    // L1 is asked whether it refuses the batch for good before it is sent again.
    await this.#reportDropped(attempt, refusal === "refused" ? null : refusal);
    await this.#modules.store.removeIntent(intent);
    if (attempt.batches.length > 0 && refusal === null) this.#noteUnexplained(attempt, receipt, head);
  }

  #noteUnexplained(attempt: Attempt, { gasUsed }: TransactionReceipt, head: BundleView["head"]): void {
    const { logger, metrics } = this.#modules;
    const gasLimit = BigInt(attempt.gasLimit);
    const reverted = { gasUsed, gasLimit, maxGasLimit: maxGasLimit(head) };
    const verdict = this.#patience.noteRevert(reverted, this.#nowMs());
    const data = { ...facts(attempt), gasUsed, gasLimit };
    if (verdict === "out-of-gas") logger.warn(data, "it ran out of gas: the next one gets twice as much");
    if (verdict !== "waits") return;
    raiseAlarm(metrics, "BRG_PUBLISH_REVERTED");
    metrics.errorTotal.inc({ code: "BRG_PUBLISH_REVERTED" });
    const waitMs = this.#patience.waitMs(this.#nowMs());
    logger.error(
      { ...data, waitMs },
      "transactions revert that L1 takes a moment later: sends nothing for a while",
    );
  }

  /** @returns true where the intent is gone for good */
  async #loseNonce(intent: PublishIntent): Promise<boolean> {
    if (!this.#lostNonces.note(String(intent.nonce), (await this.#head()).number)) return false;
    // If a filler's nonce is taken, L1 had not forgotten the earlier transaction with it after all.
    if (!intent.attempts.every((attempt) => isFiller(attempt, this.#modules.account.address))) {
      // Not fatal: L1's state shows whether it has the batches all the same, before any transaction is sent again.
      raiseAlarm(this.#modules.metrics, "BRG_NONCE_TAKEN");
      this.#modules.metrics.errorTotal.inc({ code: "BRG_NONCE_TAKEN" });
      this.#modules.logger.error(
        { nonce: intent.nonce },
        "another transaction used the publisher's nonce: its key must have no other user",
      );
    }
    await this.#modules.store.removeIntent(intent);
    this.#lostNonces.forget(String(intent.nonce));
    return true;
  }

  /**
   * Returns true if nonces below the intent's are free, and no known transaction of ours fills them: a reorganisation
   * took back errands, reverted transactions, or batches that were found on L1 without an intent. A node that still has
   * them in its pool mines them, so the count grows; where it does not move, no fee brings the intent's transactions in.
   */
  #isKeptOut(intent: PublishIntent, minedCount: number): boolean {
    return (
      minedCount < intent.nonce &&
      minedCount === this.#lookedAtMinedCount &&
      this.#lookedAtMs.has(intent.nonce) &&
      this.#isLate(intent)
    );
  }

  /**
   * Sends fillers, which do nothing, under all free nonces below the waiting one. The batches behind them are not sent
   * under a lower nonce instead: then two transactions could take effect, the second one after the sequencer has made
   * another batch of its number.
   */
  async #fillGap(intents: readonly PublishIntent[], minedCount: number): Promise<void> {
    const { logger } = this.#modules;
    const waiting = intents.filter((intent) => !intent.isGivenUp).map((intent) => intent.nonce);
    for (let nonce = minedCount; nonce < waiting.at(-1)!; nonce++) {
      if (waiting.includes(nonce)) continue;
      const filler = await this.#sender.sendFiller(nonce, this.#options.maxFeePerGasWei);
      if (filler === null) {
        logger.warn({ nonce }, "cannot take over a given-up nonce below the batches: fees are at their cap");
        continue;
      }
      this.#lookedAtMs.set(nonce, this.#nowMs());
      const { transactionHash } = filler.attempts.at(-1)!;
      logger.warn(
        { nonce, transactionHash },
        "L1 forgot what used this nonce, filled it: batches wait behind",
      );
    }
    this.#lookedAtMs.set(waiting[0]!, this.#nowMs());
  }

  #isLate(intent: PublishIntent): boolean {
    const since = Math.max(intent.attempts.at(-1)!.signedAtMs, this.#lookedAtMs.get(intent.nonce) ?? 0);
    const waitedMs = this.#nowMs() - since;
    // A clock that was set back does not show the time that passed: once too early is better than a day too late.
    return waitedMs >= this.#options.resendAfterMs || waitedMs < 0;
  }

  /** Sends again, replaces or gives up the transaction of the lowest nonce, if it is due. */
  async #lookAfter(intent: PublishIntent, minedCount: number): Promise<void> {
    const last = intent.attempts.at(-1)!;
    const lookedAtMs = this.#lookedAtMs.get(intent.nonce);
    const isLate = this.#isLate(intent);
    if (lookedAtMs !== undefined && !isLate) return;
    const { number } = await this.#head();
    const { reason, refusal } = await this.#whyRefused(last, number);
    const first = last.batches[0];
    // Checked again at the next block: the node may lag, or be on a fork that ends.
    if (first !== undefined && refusal !== "refused") this.#refusals.forget(first.batchHash);
    else if (first !== undefined && !this.#refusals.note(first.batchHash, number)) return;
    // "queue": the entries may come back, and then L1 takes the batch. Mined without them it reverts and is out of the
    // way for good; given up, it could be mined after the sequencer has made another batch of this number.
    if (refusal !== null && refusal !== "early" && refusal !== "behind" && refusal !== "queue") {
      // It may have been mined since the receipts were read, and then L1 refuses to take it twice.
      const receipt = await this.#receiptOf(intent);
      if (receipt === null) await this.#giveUp(intent, last, refusal, reason);
      else await this.#settle(intent, receipt);
      return;
    }
    this.#lookedAtMs.set(intent.nonce, this.#nowMs());
    this.#lookedAtMinedCount = minedCount;
    const hasBlobs = last.maxFeePerBlobGasWei !== undefined;
    const fees = isLate ? await this.#sender.nextFees(last, hasBlobs, this.#options.maxFeePerGasWei) : null;
    if (fees === null) {
      if (isLate)
        this.#modules.logger.warn(
          { ...facts(last), maxFeePerGasWei: last.maxFeePerGasWei },
          "not mined in time, and fees are at their cap",
        );
      await this.#sender.send(last, intent.nonce);
      await this.#reportSubmitted(last);
      return;
    }
    const plan = {
      batches: last.batches,
      ...callOf(last),
      gasLimit: BigInt(last.gasLimit),
      nonce: intent.nonce,
      fees,
      maxFeePerGasWei: this.#options.maxFeePerGasWei,
    };
    const { attempts } = await this.#sender.signAndSend(plan, intent.attempts);
    const replacement = attempts.at(-1)!;
    this.#modules.metrics.feeBumpTotal.inc();
    this.#modules.logger.warn(
      { ...facts(replacement), attemptCount: attempts.length },
      "not mined in time, replaced",
    );
    await this.#reportSubmitted(replacement);
  }

  async #giveUp(
    intent: PublishIntent,
    last: Attempt,
    refusal: RefusalClass,
    reason: string | null,
  ): Promise<void> {
    this.#modules.logger.warn(
      { ...facts(last), nonce: intent.nonce, refusal, reason },
      "L1 would refuse the transaction now, giving it up",
    );
    await this.#reportDropped(last, refusal);
    await this.#modules.store.saveIntent({ ...intent, isGivenUp: true });
    this.#lookedAtMs.set(intent.nonce, this.#nowMs());
  }

  async #reportDropped(attempt: Attempt, refusal: RefusalClass | null): Promise<void> {
    // `adopt` reads from L1's state which batch it has in its place: it may be the same one.
    if (refusal === "superseded" || attempt.batches.length === 0) return;
    const { batches, transactionHash } = attempt;
    await this.#reporter.report(batches, { status: "dropped", transactionHash, reason: dropReason(refusal) });
  }

  #whyRefused(attempt: Attempt, blockNumber: bigint) {
    const { account, rollup } = this.#modules;
    return whyRefused(attempt, { rollup, from: account.address }, blockNumber);
  }

  /** The block that all reads of one pass name. */
  #head(): Promise<BundleView["head"]> {
    return l1Call("read the newest block", () => this.#modules.rollup.client.getBlock());
  }

  // Ready batches.

  async #submitNext(): Promise<void> {
    const head = await this.#head();
    // A node that lags behind an earlier block: its view is consistent, and too old to send anything by.
    if (head.number < this.#newestBlock) return;
    this.#newestBlock = head.number;
    if (await this.#sendErrand(head)) return;
    const { logger, rollup, sequencer } = this.#modules;
    const ready = await sequencer.readyBatches(this.#options.limits.maxBatchCount);
    const { batchNumber: l1BatchNumber } = await rollup.state({ blockNumber: head.number });
    for (const batch of ready) if (batch.batchNumber <= l1BatchNumber) await this.#adoption.adopt(batch);
    await this.#adoption.adoptPosted(l1BatchNumber);
    if (await this.#foreign.poll()) {
      // Batches that were handed over are followed to their end like our own.
      this.#adoption.lookAgain();
      return;
    }
    if (ready.length === 0 || this.#patience.waitMs(this.#nowMs()) > 0) return;
    const bundle = await this.#bundle(consecutive(ready, l1BatchNumber + 1), l1BatchNumber, head);
    if (bundle === null) return;
    const attempt = await this.#sendNew({ ...bundle, batches: bundle.batches.map(intendedBatch) }, head);
    if (attempt === null) return;
    await this.#reportSubmitted(attempt);
    const { gasLimit, maxFeePerGasWei } = attempt;
    logger.info({ ...facts(attempt), gasLimit, maxFeePerGasWei }, "sent batches to L1");
  }

  /**
   * Sends an errand. Errands are rare and some have a deadline: they go before batches. @returns false where there is
   * none to send
   */
  async #sendErrand(head: BundleView["head"]): Promise<boolean> {
    const { account, logger, nextErrand, rollup } = this.#modules;
    const errand = (await nextErrand?.()) ?? null;
    if (errand === null) return false;
    const { input, name, to = rollup.address } = errand;
    const call = { account: account.address, to, data: input };
    let gasEstimate: bigint;
    try {
      gasEstimate = await l1Call(name, () => rollup.client.estimateGas(call));
    } catch (error) {
      const revert = revertOf(error);
      if (revert === null) throw error;
      // Somebody else may have done it since the errand was chosen. Its source reads L1 again.
      logger.warn({ errand: name, reason: revertText(revert) }, "L1 does not take the errand");
      return false;
    }
    const draft = { batches: [], to, input, gasLimit: paddedGas(gasEstimate, head.gasLimit) };
    const attempt = await this.#sendNew(draft, head);
    if (attempt !== null) logger.info({ errand: name, inputBytes: size(input), ...facts(attempt) }, "sent");
    return attempt !== null;
  }

  async #sendNew(draft: TransactionDraft, head: BundleView["head"]): Promise<Attempt | null> {
    const intent = await this.#sender.sendNew(draft, this.#options.maxFeePerGasWei, head.number);
    if (intent === null) {
      this.#modules.logger.warn(
        "cannot take over the nonce of a transaction that was given up: fees are at their cap",
      );
      return null;
    }
    this.#lookedAtMs.set(intent.nonce, this.#nowMs());
    const attempt = intent.attempts.at(-1)!;
    if (!isFiller(attempt, this.#modules.account.address)) return attempt;
    const { nonce } = intent;
    this.#modules.logger.warn(
      { nonce, transactionHash: attempt.transactionHash },
      "a filler uses up this nonce first: the node's pool has a transaction of the other kind under it",
    );
    return null;
  }

  /** Bundle of these batches, or null where none can be sent now. */
  async #bundle(
    next: readonly ReadyBatch[],
    l1BatchNumber: number,
    head: BundleView["head"],
  ): Promise<Bundle | null> {
    const { account, circuitIndex, logger, rollup } = this.#modules;
    const first = next[0];
    if (first === undefined) return null;
    try {
      const modules = { rollup, circuitIndex, from: account.address, makeBlobs: this.#makeBlobs };
      const view = { head, gasDoublings: this.#patience.gasDoublings };
      const bundle = await chooseBundle(next, this.#options.limits, modules, view);
      for (const { batchHash } of bundle.batches) this.#refusals.forget(batchHash);
      return bundle;
    } catch (error) {
      const revert = revertOf(error);
      if (revert === null) throw error;
      const refusal = classifyRefusal(revert, l1BatchNumber, first.batchNumber);
      const reason = revertText(revert);
      logger.warn({ batchNumber: first.batchNumber, refusal, reason }, "L1 does not take the batch");
      if (refusal === "early" || refusal === "queue" || refusal === "pre-verified") return null;
      if (refusal === "refused" && !this.#refusals.note(first.batchHash, head.number)) return null;
      if (!this.#droppedHashes.has(first.batchHash)) {
        await this.#reporter.report([intendedBatch(first)], {
          status: "dropped",
          reason: dropReason(refusal),
        });
        this.#droppedHashes.add(first.batchHash);
      }
      if (refusal === "refused") throw refusedForGood(first, reason);
      return null;
    }
  }

  async #reportSubmitted({ batches, transactionHash }: Attempt): Promise<void> {
    if (batches.length === 0) return;
    await this.#reporter.report(batches, { status: "submitted", transactionHash });
  }
}

/** Retryable: asked again, another node may answer. */
function lagging(headNumber: bigint, blockNumber: bigint) {
  return bridgeError(
    "BRG_L1_REFUSED",
    `the node is at block ${headNumber}, it had a receipt of ${blockNumber}`,
    {
      data: { headNumber: headNumber.toString(), blockNumber: blockNumber.toString() },
    },
  );
}

function refusedForGood(batch: { batchNumber: number; batchHash: string }, reason: string | null) {
  const { batchHash, batchNumber } = batch;
  return bridgeError(
    "BRG_PUBLISH_REFUSED",
    `L1 refuses batch ${batchNumber} for good: ${reason ?? "without a reason"}`,
    {
      data: { batchNumber, batchHash, reason },
    },
  );
}
