/**
 * The half of a full node that reads the sequencer: its log, entry by entry, executed here on top of L1's batches. Where
 * the sequencer has closed a batch again, the log is read again from the last batch that both have. An entry that this
 * ledger refuses is not shown; a second signature for one place is stored as evidence.
 */

import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type PreconfirmationContext,
  requireOperatorsPreconfirmation,
} from "@openledger/verifier/evidence/preconfirmation-evidence";
import { isAddressEqual } from "viem";
import { sequencerError } from "../sequencer-errors.ts";
import type { OperationEntry } from "../store/log-entry.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import type { FollowAlarms } from "./follow-alarms.ts";
import { preconfirmationsAt } from "./follow-preconfirmations.ts";
import type { FollowedLedger, QueueLookup } from "./followed-ledger.ts";
import { evidenceOf, type LeaderEntry, type LeaderPage, readLeaderLog } from "./leader-log.ts";

interface FollowFeedModules {
  readonly context: PreconfirmationContext;
  readonly followed: FollowedLedger;
  readonly alarms: FollowAlarms;
  readonly queued: QueueLookup;
  /** L1's head, as the full node has read it. */
  readonly l1BlockNumber: () => number;
  readonly onOperation: (entry: OperationEntry) => void;
  readonly onBatch: (record: StoredBatch) => void;
}

/** Entries that one poll takes, so that L1 is looked at in between. */
const MAX_ENTRIES_PER_POLL = 2_000;

export class FollowFeed {
  readonly url: string;
  /** True while the sequencer's log goes on from this ledger. */
  isFollowed = false;
  /** Index of the queue entry from which its log goes on and which L1 does not have here; null otherwise. */
  waitsForEntry: number | null = null;
  readonly #modules: FollowFeedModules;
  /** Sequence of the leader's next entry; null where it must be found first. */
  #nextSequence: number | null = null;
  readonly #notices: (() => void)[] = [];

  constructor(url: string, modules: FollowFeedModules) {
    this.url = url;
    this.#modules = modules;
  }

  /** Forgets the place in the leader's log: the ledger has gone back, or on without the leader. */
  forgetPlace(): void {
    this.#nextSequence = null;
  }

  /** @returns whether more may be had at once. @throws SEQ_LEADER_*, SEQ_WRONG_DIRECTORY; BRG_PRECONFIRMATION_INVALID */
  async poll(): Promise<boolean> {
    let taken = 0;
    this.waitsForEntry = null;
    try {
      while (taken < MAX_ENTRIES_PER_POLL) {
        const page: LeaderPage | null =
          this.#nextSequence === null
            ? await this.#findPlace()
            : await readLeaderLog(this.url, { sequence: this.#nextSequence });
        this.isFollowed = page !== null;
        if (page === null) return false;
        this.#requireRollup(page);
        for (const entry of page.entries) {
          if (!(await this.#take(entry))) return false;
          this.#nextSequence = entry.sequence + 1;
          taken += 1;
        }
        await this.#tell();
        this.#nextSequence = page.nextSequence;
        if (page.entries.length === 0) return false;
      }
      return true;
    } catch (error) {
      // The leader's rate limit counts its answers: the next poll goes on.
      if (isRollupError(error, "SEQ_LEADER_REFUSED") && (error.data as { status?: number }).status === 429)
        return false;
      if (isRollupError(error, "SEQ_LEADER_DIFFERS")) await this.#afterDifference();
      throw error;
    } finally {
      await this.#tell();
    }
  }

  /** Reports entries once they are on the disk: the routes read operations and batches from there. */
  async #tell(): Promise<void> {
    await this.#modules.followed.log.flushed();
    for (const notify of this.#notices.splice(0)) notify();
  }

  #requireRollup({ chainId, rollupAddress }: LeaderPage): void {
    const { context } = this.#modules;
    if (chainId === context.chainId && isAddressEqual(rollupAddress, context.rollupAddress)) return;
    throw sequencerError(
      "SEQ_WRONG_DIRECTORY",
      `${this.url} serves rollup ${rollupAddress} of chain ${chainId}`,
      {
        data: { reason: "follow-wrong-rollup", url: this.url, chainId, rollupAddress },
      },
    );
  }

  /** Goes back to the last batch that the leader has, too; null where it has not even the last final one. */
  async #findPlace(): Promise<LeaderPage | null> {
    const { followed } = this.#modules;
    const { registry } = followed;
    for (let number = registry.closedNumber; number >= registry.finalNumber; number--) {
      const page = await this.#pageAfter(number);
      if (page === null || page.base?.root !== registry.positionAfter(number).root) continue;
      const known = registry.record(number)?.batchHash;
      // Closed again with another time: the same root, and other bytes on L1.
      if (known !== undefined && page.base.batchHash != null && page.base.batchHash !== known) continue;
      if (number < registry.closedNumber || followed.hasOpenBatch) await followed.rewind(number);
      return page;
    }
    return null;
  }

  async #pageAfter(afterBatch: number): Promise<LeaderPage | null> {
    try {
      return await readLeaderLog(this.url, { afterBatch });
    } catch (error) {
      const code = isRollupError(error, "SEQ_LEADER_REFUSED") ? (error.data as { code: unknown }).code : null;
      // The second: L1 has more final batches than are here yet, and the leader has pruned those.
      if (code === "SEQ_UNKNOWN" || code === "SEQ_HISTORY_PRUNED") return null;
      throw error;
    }
  }

  /** @returns false where L1's node has to show a queue entry first */
  async #take(entry: LeaderEntry): Promise<boolean> {
    const { followed, onBatch, onOperation, queued } = this.#modules;
    if (entry.type === "operation") await this.#holdPreconfirmation(entry);
    const closedBefore = followed.registry.closedNumber;
    const result = await followed.apply(entry, queued);
    if (result === "wait") {
      this.waitsForEntry = (entry as Extract<LeaderEntry, { type: "queue" }>).queueIndex;
      return false;
    }
    if (result === null) return true;
    const isBatch = followed.registry.closedNumber > closedBefore;
    this.#notices.push(() =>
      isBatch ? onBatch(result as StoredBatch) : onOperation(result as OperationEntry),
    );
    return true;
  }

  async #holdPreconfirmation(entry: Extract<LeaderEntry, { type: "operation" }>): Promise<void> {
    const { alarms, context, followed, l1BlockNumber } = this.#modules;
    const evidence = evidenceOf(entry, context, entry.bRef);
    if (evidence === null) return;
    // Checks the signature alone: `apply` checks that the hash is of this operation.
    await requireOperatorsPreconfirmation({ ...evidence, opening: null }, context);
    const seen = await preconfirmationsAt(followed.log, entry.preconfirmation.opIndex);
    const other = seen.find(
      ({ preconfirmation }) => preconfirmation.operationHash !== entry.preconfirmation.operationHash,
    );
    if (other === undefined) return;
    const facts = { posted: null, l1BlockNumber: l1BlockNumber(), noticedAtMs: Date.now() };
    await alarms.keep({ reason: "two-preconfirmations", evidence, other, ...facts });
  }

  /** Goes back to the last batch that is not in doubt; the leader may have made the open one, or the last ones, again. */
  async #afterDifference(): Promise<void> {
    const { followed } = this.#modules;
    this.#nextSequence = null;
    this.isFollowed = false;
    const { registry } = followed;
    const last = registry.reached("posted");
    if (registry.closedNumber > last || followed.hasOpenBatch) await followed.rewind(last);
  }
}
