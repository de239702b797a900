/**
 * The full node's loop: reads L1, then the sequencer, and raises and lowers the alarms about both. follow-process.ts runs it.
 */
import { isBlobMissing } from "@openledger/bridge/blobs/blob-source";
import { MALFORMED_REMEDY } from "@openledger/bridge/l1/submission/malformed-batch";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { FollowAlarms } from "./follow-alarms.ts";
import type { FollowFeed } from "./follow-feed.ts";
import type { FollowL1 } from "./follow-l1.ts";

export interface FollowLoopOptions {
  readonly pollIntervalMs: number;
  /** A newest block of L1 that is older, no new block, or no answer from the sequencer for so long is an alarm. */
  readonly stallMs: number;
}

interface FollowLoopModules {
  readonly l1: FollowL1;
  /** null: L1 alone. */
  readonly leader: FollowFeed | null;
  readonly alarms: FollowAlarms;
  readonly logger: Logger;
  /** Called with an error that only a restart mends, SEQ_FOLLOW_REORGANISED among them. */
  readonly onFatal: (error: unknown) => void;
}

/** Differences in a row that raise an alarm: fewer may be the sequencer's rebuild, seen in the middle. */
const MAX_DIFFERENCES = 3;

export class FollowLoop {
  readonly #options: FollowLoopOptions;
  readonly #modules: FollowLoopModules;
  #l1BlockNumber = -1;
  #l1MovedAtMs = Date.now();
  #answeredAtMs = Date.now();
  #followedAtMs = Date.now();
  #differenceCount = 0;
  /** L1 batch behind which the sequencer may be ahead; null where it was followed since. */
  #excusedUpTo: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopping = false;
  /** Key of the malformed batch that was logged last. */
  #malformedKey = "";

  constructor(options: FollowLoopOptions, modules: FollowLoopModules) {
    this.#options = options;
    this.#modules = modules;
  }

  start(): void {
    this.#running = this.poll().then(
      () => {
        if (!this.#isStopping) this.#timer = setTimeout(() => this.start(), this.#options.pollIntervalMs);
      },
      (error: unknown) => {
        if (!this.#isStopping) this.#modules.onFatal(error);
      },
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Polls L1, then the sequencer. @throws errors that repeating cannot mend */
  async poll(): Promise<void> {
    await this.#pollL1();
    const { l1, leader } = this.#modules;
    if (leader === null) return;
    if (l1.isAtEnd) this.#endFeedAlarms();
    else await this.#pollFeed(leader);
  }

  async #pollL1(): Promise<void> {
    const { alarms, l1, logger } = this.#modules;
    let missingBlob: string | null = null;
    let failure: string | null = null;
    try {
      await l1.poll();
    } catch (error) {
      if (isBlobMissing(error)) missingBlob = error.message;
      else if (!isPassing(error)) throw error;
      else failure = `${error.code}: ${error.message}`;
      logger.warn({ err: error }, "L1 could not be read");
    }
    alarms.set("blob-missing", missingBlob);
    this.#noteMalformed();
    // After the poll: a node that hangs takes the time that its answer is waited for.
    const nowMs = Date.now();
    const blockNumber = l1.l1Head?.blockNumber ?? -1;
    if (blockNumber !== this.#l1BlockNumber) {
      this.#l1BlockNumber = blockNumber;
      this.#l1MovedAtMs = nowMs;
    }
    alarms.set("l1-stalled", this.#whyStalled(nowMs, failure));
  }

  /**
   * Says why L1 counts as stalled. A node that stood still before this process started shows it by the age of its
   * newest block alone.
   * @param failure what this look at L1 failed by
   */
  #whyStalled(nowMs: number, failure: string | null): string | null {
    const { stallMs } = this.#options;
    const head = this.#modules.l1.l1Head;
    const isOld = head !== null && nowMs - head.timestamp * 1_000 > stallMs;
    if (!isOld && nowMs - this.#l1MovedAtMs <= stallMs) return null;
    if (failure !== null) return failure;
    return isOld
      ? `the newest block of L1, ${head.blockNumber}, is of ${new Date(head.timestamp * 1_000).toISOString()}`
      : `no new block of L1 for ${stallMs} ms`;
  }

  #noteMalformed(): void {
    const { alarms, l1, logger } = this.#modules;
    const { malformed } = l1;
    const key = malformed === null ? "" : `${malformed.blockHash}/${malformed.isFinal}`;
    if (key === this.#malformedKey) return;
    this.#malformedKey = key;
    if (malformed === null) {
      alarms.set("batch-malformed", null);
      return;
    }
    const { batchNumber, isFinal, reason, transactionHash } = malformed;
    const served = isFinal
      ? `the ledger after batch ${batchNumber - 1} is served, and no later one`
      : "it is not final yet";
    const what = `batch ${batchNumber} (transaction ${transactionHash}) breaks the ledger's rules: ${reason.message}`;
    alarms.set("batch-malformed", `${what}; ${served}; ${MALFORMED_REMEDY}`);
    logger.error(
      { code: "BRG_BATCH_MALFORMED", ...malformed, remedy: MALFORMED_REMEDY },
      "L1 has a malformed batch",
    );
  }

  async #pollFeed(leader: FollowFeed): Promise<void> {
    const { alarms, logger } = this.#modules;
    const { stallMs } = this.#options;
    const nowMs = Date.now();
    try {
      while (await leader.poll());
      this.#differenceCount = 0;
      this.#answeredAtMs = nowMs;
    } catch (error) {
      if (!isRollupError(error) || !/^(SEQ_LEADER|BRG_PRECONFIRMATION)_/.test(error.code)) throw error;
      if (error.code !== "SEQ_LEADER_UNREACHABLE") {
        this.#answeredAtMs = nowMs;
        this.#differenceCount += 1;
      }
      logger.warn({ code: error.code, data: error.data }, "the sequencer's log could not be followed");
      if (this.#differenceCount >= MAX_DIFFERENCES && !this.#isExcused())
        alarms.set("feed-differs", error.message);
    }
    const isSilent = nowMs - this.#answeredAtMs > stallMs;
    alarms.set("feed-stalled", isSilent ? `${leader.url} gave no answer for ${stallMs} ms` : null);
    const isInStep = leader.isFollowed && leader.waitsForEntry === null && this.#differenceCount === 0;
    if (isInStep && this.#answeredAtMs === nowMs) {
      this.#followedAtMs = nowMs;
      this.#excusedUpTo = null;
    }
    if (isInStep) alarms.set("feed-differs", null);
    else if (!isSilent && nowMs - this.#followedAtMs > stallMs && !this.#isExcused())
      alarms.set("feed-differs", this.#whyNotFollowed(leader));
  }

  #whyNotFollowed({ url, waitsForEntry }: FollowFeed): string {
    return waitsForEntry === null
      ? `${url} has not the batches that L1 has`
      : `${url} goes on from queue entry ${waitsForEntry}, which L1 does not have`;
  }

  /**
   * Returns true if L1 has somebody else's batch that is not final here and may be final for the sequencer, which then
   * goes on from it. Once it is final here, the sequencer has to be followed before it is excused again.
   */
  #isExcused(): boolean {
    const { l1 } = this.#modules;
    this.#excusedUpTo ??= l1.foreignNumber;
    return this.#excusedUpTo !== null && l1.finalNumber < this.#excusedUpTo;
  }

  /** Ends the alarms about the feed: no entry that the sequencer shows behind the end can come true. */
  #endFeedAlarms(): void {
    const { alarms } = this.#modules;
    alarms.set("feed-stalled", null);
    alarms.set("feed-differs", null);
  }
}

/** A node that does not answer, or is behind: the next poll may succeed. */
const isPassing = (error: unknown): error is RollupError =>
  isRollupError(error) &&
  error.isRetryable &&
  (error.code.startsWith("BRG_L1_") || error.code === "BRG_BATCH_NOT_IN_CALL");
