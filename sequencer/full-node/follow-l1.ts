/**
 * The half of a full node that reads L1: final batches into the ledger (final-history.ts), later ones against those that the
 * sequencer has shown, and every posted operation against the stored preconfirmations. A failed poll is repeated.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { type BatchEvent, readL1History } from "@openledger/bridge/l1/l1-history";
import { readRollupLogs } from "@openledger/bridge/l1/log-reader";
import { toQueueEntry } from "@openledger/bridge/l1/queue-entry";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type MalformedBatch, malformedOf } from "@openledger/bridge/l1/submission/malformed-batch";
import type { PreconfirmationEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import { isSameOperation, postedOperations } from "@openledger/verifier/replay/posted-operations";
import type { VerifyProof } from "@openledger/verifier/replay/verify-keys";
import type { L1Head } from "../batches/batch-pipeline-options.ts";
import { waitingEntry } from "../batches/from-l1/queue-entry.ts";
import { sequencerError } from "../sequencer-errors.ts";
import { FOLLOW_MARKER, type FollowMarker, l1BlockHash } from "../store/follow-marker.ts";
import type { StoredQueueEntry } from "../store/log-entry.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import { FinalHistory } from "./final-history.ts";
import type { FollowAlarms } from "./follow-alarms.ts";
import { preconfirmationsAt, preconfirmationsFrom } from "./follow-preconfirmations.ts";
import type { FollowedLedger } from "./followed-ledger.ts";

interface FollowL1Options {
  readonly finalityDepthBlocks: number;
  readonly maxChunkBlocks: number;
}

interface FollowL1Modules {
  readonly rollup: RollupContract;
  readonly registered: readonly RegisteredCircuit[];
  readonly followed: FollowedLedger;
  readonly alarms: FollowAlarms;
  /** Verifies batch proofs; absent: the contract's verification is enough. */
  readonly verifyProof?: VerifyProof | undefined;
  readonly onBatch: (record: StoredBatch, isOwn: boolean) => void;
  /** Called after entries that the sequencer had shown were undone, so its log has to be read again. */
  readonly onRewind: () => void;
  /** The rollup was frozen, or a reorganisation took the freeze back. */
  readonly onFrozen: (isFrozen: boolean) => void;
}

/** A batch on L1 that is not final. */
interface PostedBatch {
  readonly number: number;
  readonly root: bigint;
  /** Signed operations up to its end. */
  readonly opIndex: number;
  readonly transactionHash: string;
  readonly blockNumber: number;
}

/** A batch that breaks the rules, as L1 has it now. Once it is final, the ledger ends before it. */
interface MalformedOnL1 extends MalformedBatch {
  readonly isFinal: boolean;
  readonly blockHash: string;
}

/** Preconfirmations that one poll looks through for a passed deadline. */
const MAX_DUE_COUNT = 1_000;

export class FollowL1 {
  l1Head: L1Head | null = null;
  /** Batches on L1, final or not. */
  postedNumber = 0;
  /** Number of the last batch without signed operations that is on L1, is not final, and differs from the feed's. */
  foreignNumber: number | null = null;
  /** True where the newest block shows the freeze: a reorganisation can still take it back. */
  isFrozen = false;
  /** The first batch on L1 that breaks the rules; null where there is none. */
  malformed: MalformedOnL1 | null = null;
  readonly #options: FollowL1Options;
  readonly #modules: FollowL1Modules;
  readonly #final: FinalHistory;
  #postedKey = "";

  constructor(options: FollowL1Options, modules: FollowL1Modules) {
    this.#options = options;
    this.#modules = modules;
    const { maxChunkBlocks } = options;
    const beforeBatch = (event: BatchEvent) => this.#holdPreconfirmations([event]);
    this.#final = new FinalHistory({ ...modules, maxChunkBlocks, beforeBatch });
  }

  get queue(): FinalHistory["queue"] {
    return this.#final.queue;
  }

  /** true: nothing comes behind the last final batch any more. */
  get isFrozenForGood(): boolean {
    return this.#final.isFrozen;
  }

  get finalNumber(): number {
    return this.#modules.followed.registry.finalNumber;
  }

  /** True where the last final batch is the last one there will be, as far as this program can follow. */
  get isAtEnd(): boolean {
    return this.isFrozenForGood || this.malformed?.isFinal === true;
  }

  /** @throws SEQ_FOLLOW_REORGANISED; BRG_L1_*, BRG_HISTORY_UNREADABLE, BRG_VERIFY_DIFFERS */
  async poll(): Promise<void> {
    const { followed, onFrozen, rollup } = this.#modules;
    const { client } = rollup;
    const head = await l1Call("read the newest block", () => client.getBlock({ blockTag: "latest" }));
    const marker = await followed.log.require<FollowMarker>(FOLLOW_MARKER);
    // This node is behind another one. The stall alarm shows if it stays so.
    if (head.number < BigInt(marker.blockNumber)) return;
    const known = await l1BlockHash(rollup, BigInt(marker.blockNumber));
    if (known !== marker.blockHash) {
      throw sequencerError("SEQ_FOLLOW_REORGANISED", `L1 has another block ${marker.blockNumber} by now`, {
        data: { blockNumber: marker.blockNumber, blockHash: known, knownHash: marker.blockHash },
      });
    }
    if (!(await this.#isStillMalformed())) await this.#read(marker, head.number);
    this.l1Head = { blockNumber: Number(head.number), timestamp: Number(head.timestamp) };
    const { isFrozen, opIndex, queueHead } = await rollup.state({ blockNumber: head.number });
    if (isFrozen !== this.isFrozen) onFrozen(isFrozen);
    this.isFrozen = isFrozen;
    if (this.isAtEnd) await this.#endShown();
    await this.#noteQueueAge(queueHead);
    await this.#findOverdue(this.l1Head, opIndex);
  }

  async #read(marker: FollowMarker, headNumber: bigint): Promise<void> {
    const { rollup } = this.#modules;
    const known = BigInt(marker.blockNumber);
    const target = headNumber - BigInt(this.#options.finalityDepthBlocks) + 1n;
    const final = target > known ? target : known;
    let isFinal = true;
    try {
      await this.#final.readTo(final);
      isFinal = false;
      await this.#final.noteMissed(Number(final));
      await this.#readNewest(final + 1n, headNumber);
      this.malformed = null;
    } catch (error) {
      const malformed = malformedOf(error);
      if (malformed === null) throw error;
      const blockHash = await l1BlockHash(rollup, BigInt(malformed.blockNumber));
      this.malformed = { ...malformed, isFinal, blockHash };
    }
  }

  /** Returns true while L1 still has a batch before which the ledger has ended: later batches are not read. */
  async #isStillMalformed(): Promise<boolean> {
    if (this.malformed?.isFinal !== true) return false;
    const { rollup } = this.#modules;
    const { blockHash, blockNumber } = this.malformed;
    return (await l1BlockHash(rollup, BigInt(blockNumber))) === blockHash;
  }

  /** Undoes the sequencer's entries behind the last batch: at the end they can never be on L1. */
  async #endShown(): Promise<void> {
    const { followed, onRewind } = this.#modules;
    const { registry } = followed;
    if (registry.closedNumber === registry.finalNumber && !followed.hasOpenBatch) return;
    await followed.rewind(registry.finalNumber);
    onRewind();
  }

  /** Reads blocks that are not final: entries of the queue, and the batches that L1 has taken so far. */
  async #readNewest(fromBlock: bigint, toBlock: bigint): Promise<void> {
    const { followed, rollup } = this.#modules;
    const { registry } = followed;
    const { address, client } = rollup;
    const { maxChunkBlocks } = this.#options;
    const posted: PostedBatch[] = [];
    const seen = new Map<number, StoredQueueEntry>();
    for await (const { logs } of readRollupLogs({ client, address, fromBlock, toBlock, maxChunkBlocks })) {
      for (const log of logs) {
        if (log.eventName === "QueueEntryAdded") {
          const record = waitingEntry(toQueueEntry(log));
          seen.set(record.queueIndex, record);
        }
        if (log.eventName !== "BatchAccepted") continue;
        const { batchNumber, newRoot: root, opIndex } = log.args;
        const { transactionHash } = log;
        const blockNumber = Number(log.blockNumber);
        posted.push({ number: Number(batchNumber), root, opIndex, transactionHash, blockNumber });
      }
    }
    await this.queue.noteNewest(fromBlock, toBlock, seen);
    await this.#notePosted(posted);
    this.foreignNumber = this.#lastForeign(posted);
    this.postedNumber = Math.max(registry.finalNumber, ...posted.map(({ number }) => number));
    const key = posted
      .map(({ number, root, transactionHash }) => `${number}/${root}/${transactionHash}`)
      .join();
    if (key === this.#postedKey || posted.length === 0) return;
    const after = registry.positionAfter(registry.finalNumber);
    const events: BatchEvent[] = [];
    for await (const event of readL1History({ rollup, fromBlock, toBlock, after, maxChunkBlocks }))
      if (event.type === "batch") events.push(event);
    await this.#holdPreconfirmations(events);
    this.#postedKey = key;
  }

  /** Marks own batches as posted where L1 has them, and as dropped where it no longer has them. */
  async #notePosted(posted: readonly PostedBatch[]): Promise<void> {
    const { registry, log } = this.#modules.followed;
    const l1 = new Map(posted.map((batch) => [batch.number, batch]));
    for (let number = registry.finalNumber + 1; number <= registry.closedNumber; number++) {
      const record = registry.record(number)!;
      const on = l1.get(number);
      const inclusion = {
        transactionHash: on?.transactionHash ?? "",
        blockNumber: on?.blockNumber ?? null,
        gasUsed: null,
      };
      const isPosted = on !== undefined && on.root === record.position.root;
      if (!isPosted && record.status !== "posted") return;
      const status = isPosted ? "posted" : "dropped";
      const { batchHash } = record;
      const { writes } = registry.report(number, { batchHash, status, inclusion }, Date.now());
      if (isPosted && record.l1?.transactionHash === inclusion.transactionHash) continue;
      await log.write(writes);
      if (!isPosted) return;
    }
  }

  #lastForeign(posted: readonly PostedBatch[]): number | null {
    const { registry } = this.#modules.followed;
    let { opIndex } = registry.positionAfter(registry.finalNumber);
    let last: number | null = null;
    for (const batch of posted) {
      const isUnsigned = batch.opIndex === opIndex;
      opIndex = batch.opIndex;
      if (isUnsigned && registry.record(batch.number)?.position.root !== batch.root) last = batch.number;
    }
    return last;
  }

  /**
   * Checks every operation of these consecutive batches against the stored preconfirmations. The first batch is the next
   * final one.
   */
  async #holdPreconfirmations(events: readonly BatchEvent[]): Promise<void> {
    const { alarms, followed } = this.#modules;
    const { registry, log } = followed;
    const nonceOf = new Map<number, number>();
    for (const event of events) {
      for (const { a } of [...event.batch.narrow, ...event.batch.wide])
        if (!nonceOf.has(a))
          nonceOf.set(a, Number(registry.leafAfter(registry.finalNumber, a)?.leaf.nonce ?? 0n));
      const { firstOpIndex, signedCount } = event.batch;
      const seen = new Map<number, PreconfirmationEvidence[]>();
      for (let i = 0; i < signedCount; i++) {
        const opIndex = Number(firstOpIndex) + i;
        seen.set(opIndex, await preconfirmationsAt(log, opIndex));
      }
      const promised = (opIndex: number) => seen.get(opIndex)!.map(({ opening }) => opening!.operation);
      for (const posted of postedOperations(event, nonceOf, promised)) {
        for (const evidence of seen.get(posted.opIndex)!) {
          if (isSameOperation(evidence.opening!.operation, posted)) continue;
          const facts = { posted, other: null, l1BlockNumber: event.blockNumber, noticedAtMs: Date.now() };
          await alarms.keep({ reason: "other-operation", evidence, ...facts });
        }
      }
    }
  }

  /** @param queueHead L1's, final or not */
  async #noteQueueAge(queueHead: number): Promise<void> {
    const { alarms } = this.#modules;
    // Entries queued behind the end were not read.
    const isOverdue =
      !this.isFrozen &&
      (this.malformed?.isFinal === true
        ? await this.#modules.rollup.isOverdue(queueHead)
        : await this.queue.isOverdue(queueHead));
    alarms.set(
      "queue-overdue",
      isOverdue ? `queue entry ${queueHead} waits for longer than the soft deadline` : null,
    );
  }

  /** @param opIndex signed operations that L1 has by then */
  async #findOverdue({ blockNumber, timestamp }: L1Head, opIndex: number): Promise<void> {
    const { alarms, followed } = this.#modules;
    for (const evidence of await preconfirmationsFrom(followed.log, opIndex, MAX_DUE_COUNT)) {
      if (evidence.preconfirmation.deadlineSeconds >= timestamp) continue;
      const facts = { posted: null, other: null, l1BlockNumber: blockNumber, noticedAtMs: Date.now() };
      await alarms.keep({ reason: "overdue", evidence, ...facts });
    }
  }
}
