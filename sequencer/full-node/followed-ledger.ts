/**
 * The ledger of a full node, stored as the sequencer stores its own: final batches as L1 has them, and on top the sequencer's
 * log, executed again here. The log is not trusted: signatures, nonces, preconfirmations, queue entries and every closed
 * batch's hash are this ledger's own, or the entry is refused.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import {
  type ReplayedSettlement,
  settlementOperationOf,
} from "@openledger/circuits/batch/settlement-operation";
import { preloadKzg } from "@openledger/circuits/blob/kzg";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { leafReference, messageHash } from "@openledger/circuits/ledger/operation";
import { GENESIS_FEE_ACCOUNT_ID, KIND, kindRule, shapeName } from "@openledger/circuits/protocol";
import { batchShape, dataTwins, openingShape } from "@openledger/circuits/registry/circuit-sizes";
import { capOf } from "@openledger/circuits/registry/settlement-statement";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BatchRegistry } from "../batches/batch-registry.ts";
import { type ClosingSource, closeBatch } from "../batches/close-batch.ts";
import { forgetEpochs, forgetTail } from "../batches/from-l1/rebase.ts";
import type { ChainRules, HeadState } from "../batches/head-state.ts";
import { type Restored, restore } from "../batches/restore.ts";
import { PostedEpochs } from "../batches/settling/posted-epochs.ts";
import { epochWrites, forcedEpochWrites } from "../batches/settling/stored-epochs.ts";
import { sequencerError } from "../sequencer-errors.ts";
import { executedEntry, operationOf, postedQueueWrites } from "../store/executed-queue.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import type { LogEntry, OpenedEntry, OperationEntry, StoredQueueEntry } from "../store/log-entry.ts";
import { postedBy, postingOf } from "../store/settlement-posting.ts";
import { type StoreWrite, storeKeys } from "../store/store-keys.ts";
import { recordOf, type StoredBatch } from "../store/stored-batch.ts";
import type { UnpromisedPositions } from "../store/unpromised-positions.ts";
import { preconfirmationWrite } from "./follow-preconfirmations.ts";
import { evidenceOf, type LeaderEntry, type LeaderOperation, type LeaderSettlement } from "./leader-log.ts";

/** Facts of a rollup that its ledger follows from. */
export interface FollowedRollup {
  readonly chainId: number;
  readonly rollupAddress: `0x${string}`;
  readonly rules: ChainRules;
  /** Circuits by their index on L1. The sequencer closes with the first, or with its twin (`dataTwins`). */
  readonly circuits: readonly RegisteredCircuit[];
}

/** Reads a rollup's facts from its contract. @throws BRG_L1_* */
export async function readFollowedRollup(rollup: RollupContract): Promise<FollowedRollup> {
  const [chainId, circuits, domain, idFeeWei] = await Promise.all([
    l1Call("read the chain id", () => rollup.client.getChainId()),
    rollup.circuits(),
    rollup.domain(),
    rollup.idFeeWei(),
  ]);
  const rules = { domain, idFeeWei, shape: openingShape(circuits) };
  return { chainId, rollupAddress: rollup.address, rules, circuits };
}

/** Entries of L1's queue that are not final yet, or not yet executed, by their index. */
export type QueueLookup = (queueIndex: number) => StoredQueueEntry | undefined;

/** A genesis that no ledger has: the directory must hold one already. */
export const NO_ACTIVATION = {
  genesis: { treasuryOwner: 0n, operatorOwner: 0n, operatorKeyX: 0n },
  genesisRoot: 0n,
};

export class FollowedLedger {
  readonly log: LedgerLog;
  readonly head: HeadState;
  readonly registry: BatchRegistry;
  readonly #rollup: FollowedRollup;
  /** Places for which the sequencer showed no signature: it may have promised them to operations that nobody has here. */
  readonly #unpromised: UnpromisedPositions;
  #opened: { entry: OpenedEntry; sequence: number } | null;
  /**
   * Sequence of the entry that stands in for forgotten ones, so that the log does not get shorter; null where none
   * does.
   */
  #standInSequence: number | null = null;

  /** A directory that a restore has made. @throws SEQ_STORE_INCONSISTENT */
  static async open(log: LedgerLog, rollup: FollowedRollup): Promise<FollowedLedger> {
    const restored = await restore(log, { ...NO_ACTIVATION, rules: rollup.rules });
    return new FollowedLedger(log, rollup, restored);
  }

  private constructor(log: LedgerLog, rollup: FollowedRollup, restored: Restored) {
    this.log = log;
    this.#rollup = rollup;
    this.head = restored.head;
    this.registry = restored.registry;
    this.#opened = restored.opened;
    this.#unpromised = restored.unpromised;
  }

  /** Keeps the file of all leaves young enough from now on, beside the work. */
  keepLeaves(): void {
    this.log.keepLeaves(this.head.ledger, () => this.registry.finalNumber);
  }

  get openedAtMs(): number | null {
    return this.#opened?.entry.openedAtMs ?? null;
  }

  /** True if an executed operation is in no closed batch. */
  get hasOpenBatch(): boolean {
    return this.#opened !== null;
  }

  /**
   * Executes an entry of the followed log.
   * @returns the record of a batch that it closed; "wait" where it takes a queue entry that L1's node does not show yet
   * @throws SEQ_LEADER_DIFFERS, and then `rewind` is to be called
   */
  async apply(
    entry: LeaderEntry,
    queued: QueueLookup,
  ): Promise<StoredBatch | OperationEntry | "wait" | null> {
    const number = this.head.openBatch?.number ?? this.head.position.batchNumber + 1;
    if (entry.batchNumber !== number) throw differs("batchNumber", number, entry.batchNumber);
    try {
      switch (entry.type) {
        case "opened":
          return await this.#open(entry);
        case "operation":
          return await this.#execute(entry);
        case "queue":
          return await this.#executeQueued(entry.queueIndex, queued);
        case "settlement":
          return await this.#settle(entry);
        case "closed":
          return await this.#close(entry);
        default:
          return entry satisfies never;
      }
    } catch (cause) {
      if (!isRollupError(cause) || /^(SEQ|SRV)_/.test(cause.code)) throw cause;
      throw differs(entry.type, "an entry that executes", cause.code, cause);
    }
  }

  #requireOpen(): { batchNumber: number } {
    const { openBatch } = this.head;
    if (openBatch === null) throw differs("opened", "an open batch", "none");
    return { batchNumber: openBatch.number };
  }

  async #open(entry: Extract<LeaderEntry, { type: "opened" }>): Promise<null> {
    const { openBatch, position } = this.head;
    if (openBatch !== null && openBatch.operationCount > 0)
      throw differs("opened", "a full batch", "another");
    const { batchNumber, feeAccountId, feePerUnitWei, openedAtMs, timestamp } = entry;
    if (timestamp < position.timestamp) throw differs("timestamp", position.timestamp, timestamp);
    this.head.openNext({ timestamp, feePerUnitWei, feeAccountId });
    const opened: OpenedEntry = {
      type: "opened",
      batchNumber,
      timestamp,
      feePerUnitWei,
      feeAccountId,
      openedAtMs,
    };
    this.#opened = { entry: opened, sequence: this.log.lastSequence + 1 };
    const standIn = this.#standInSequence;
    this.#standInSequence = null;
    await this.log.append([opened], standIn === null ? [] : [{ key: storeKeys.log(standIn) }]);
    return null;
  }

  async #execute({ acknowledgedAtMs, operation, preconfirmation }: LeaderOperation): Promise<OperationEntry> {
    const { batchNumber } = this.#requireOpen();
    const rule = kindRule(operation.kind)!;
    const { ledger, position } = this.head;
    if (preconfirmation.opIndex !== position.opIndex)
      throw differs("opIndex", position.opIndex, preconfirmation.opIndex);
    const b = rule.usesB && !rule.isCreate ? ledger.requireLeaf(operation.b).leaf : null;
    const bRef = b === null ? 0n : leafReference(b);
    const hash = hex32(messageHash(operation, { domain: this.#rollup.rules.domain, bRef }));
    if (hash !== preconfirmation.operationHash)
      throw differs("operationHash", hash, preconfirmation.operationHash);
    const { opIndex, slot, trace } = this.head.execute(operation);
    const entry: OperationEntry = {
      type: "operation",
      hash,
      operation,
      batchNumber,
      slot,
      opIndex,
      createdId: rule.isCreate ? trace.record.b : null,
      feeWei: trace.feeWei,
      deadlineSeconds: preconfirmation.deadlineSeconds,
      acknowledgedAtMs,
    };
    const evidence = evidenceOf({ operation, preconfirmation }, this.#rollup, bRef);
    const seen = evidence === null ? this.#unsignedWrites(opIndex) : [preconfirmationWrite(evidence)];
    // Written in the background: a failure ends the process. Callers that need it on the disk await `flushed`.
    void this.log.append([entry], [...epochWrites(ledger, operation, trace, { hash, batchNumber }), ...seen]);
    return entry;
  }

  #unsignedWrites(opIndex: number): StoreWrite[] {
    return this.#unpromised.has(opIndex) ? [] : [this.#unpromised.add(opIndex, opIndex + 1)];
  }

  async #executeQueued(queueIndex: number, queued: QueueLookup): Promise<"wait" | null> {
    const { batchNumber } = this.#requireOpen();
    const { queueHead } = this.head.position;
    if (queueIndex !== queueHead) throw differs("queueIndex", queueHead, queueIndex);
    const record = queued(queueIndex);
    if (record === undefined) return "wait";
    const { opIndex, slot, trace } = this.head.execute(operationOf(record));
    const { entry, write } = executedEntry(record, trace.record, { batchNumber, slot, opIndex });
    await this.log.append(
      [entry],
      [...forcedEpochWrites(this.head.ledger, trace.record, trace.b, entry), write],
    );
    return null;
  }

  async #settle(entry: LeaderSettlement): Promise<null> {
    const { batchNumber } = this.#requireOpen();
    const { acknowledgedAtMs, circuit, epoch, modelId, settlementHash, signature } = entry;
    const kind = entry.kind === "activation" ? KIND.activation : KIND.settle;
    const posting = postingOf(entry);
    const posted = postedBy(posting);
    const cap = capOf(kind, posted, this.#rollup.circuits);
    if (cap === null) throw differs("settlement", "one that a circuit fits", circuit);
    const model = this.head.ledger.requireLeaf(modelId);
    const derived = settlementOperationOf(
      { kind, b: modelId, words: [settlementHash] },
      { ...posted, cap },
      model,
    );
    const operation = { ...derived, signature };
    const { slot } = this.head.execute(operation, posting);
    const common = { type: "settlement", hash: hex32(settlementHash), epoch, operation, posting } as const;
    await this.log.append([{ ...common, batchNumber, slot, acknowledgedAtMs }]);
    return null;
  }

  async #close(entry: Extract<LeaderEntry, { type: "closed" }>): Promise<StoredBatch> {
    const opened = this.#opened;
    if (opened === null) throw differs("closed", "an open batch", "none");
    const data = this.#chosenBy(entry);
    if (data.place === "blob") await preloadKzg();
    const nowMs = Date.now();
    const { record, writes } = closeBatch(
      { head: this.head, registry: this.registry, data: { choose: () => data } },
      {
        openedAtMs: opened.entry.openedAtMs,
        closedAtMs: nowMs,
        firstSequence: opened.sequence,
        sequence: this.log.lastSequence + 1,
        rebuildCount: 0,
      },
    );
    this.#opened = null;
    await this.log.append([{ type: "closed", batchNumber: record.number }], writes);
    if (record.batchHash !== entry.batchHash) throw differs("batchHash", record.batchHash, entry.batchHash);
    return record;
  }

  /** Place of the leader's batch, which its first circuit, or that one's twin, proves. @throws SEQ_LEADER_DIFFERS */
  #chosenBy({ circuit }: Extract<LeaderEntry, { type: "closed" }>): ClosingSource {
    const { circuits } = this.#rollup;
    const twins = dataTwins(circuits);
    // Compared by shapes: a full node that was started before its leader answered has names of its own for L1's circuits.
    const shapeOf = (sizes: RegisteredCircuit) => shapeName(batchShape(sizes));
    const own = shapeOf(circuits[0]!);
    const expected = circuit ?? own;
    const place = (["blob", "calldata"] as const).find((one) => {
      const twin = twins[one];
      return twin !== null && shapeOf(twin) === expected;
    });
    if (place === undefined) throw differs("circuit", own, expected);
    return { place, circuitId: twins[place]!.circuitId };
  }

  /** Forgets everything behind a batch that is final or closed. One atomic write. */
  async rewind(base: number): Promise<void> {
    const { registry, head, log } = this;
    await log.flushed();
    const position = registry.positionAfter(base);
    const tail: [number, LogEntry][] = [];
    for await (const one of log.entries(position.sequence + 1, log.lastSequence)) tail.push(one);
    const touched = new Set(head.openTouched);
    for (let number = base + 1; number <= registry.closedNumber; number++)
      for (const [id] of registry.changesOf(number)) touched.add(id);
    const before = [...touched].map((id) => [id, registry.leafAfter(base, id)] as const);
    const queue = await log.queueEntriesFrom(position.queueHead);
    const epochs = await forgetEpochs({ log }, base, tail);
    head.rollBack(new Map<number, LeafState | undefined>(before), position);
    this.#opened = null;
    if (tail.length === 0) return;
    // The log never ends before its durable end: an opening stands there until the next one.
    this.#standInSequence = log.lastSequence + 1;
    const { batchNumber, timestamp } = position;
    const terms = { timestamp, feePerUnitWei: 0n, feeAccountId: GENESIS_FEE_ACCOUNT_ID, openedAtMs: 0 };
    await log.append(
      [{ type: "opened", batchNumber: batchNumber + 1, ...terms }],
      [
        ...forgetTail(tail),
        ...epochs,
        ...registry.replaceAfter(base, []),
        ...queue.map((record) => ({
          key: storeKeys.queueEntry(record.queueIndex),
          value: { ...record, status: "queued", batchNumber: null } satisfies StoredQueueEntry,
        })),
      ],
    );
  }

  /**
   * Takes over the next final batch of L1: the closed one, where it is the same to the byte, else L1's instead of all
   * that was executed behind the last final one.
   * @param queued the queue's entries as L1 has them, up to the batch
   * @returns whether the batch was the one that the sequencer had shown, and its record
   */
  async takeFinal(
    event: BatchEvent,
    settlements: readonly ReplayedSettlement[],
    queued: QueueLookup,
  ): Promise<{ isOwn: boolean; record: StoredBatch }> {
    const { registry, head, log } = this;
    const { batch, blockNumber, l1TransactionHash: transactionHash } = event;
    const number = Number(batch.batchNumber);
    const inclusion = { transactionHash, blockNumber, gasUsed: null };
    const own = registry.record(number);
    const before = registry.positionAfter(registry.finalNumber);
    const batchHash = own && this.#recordFor(event, { ...before, sequence: -1 }).batchHash;
    if (own !== undefined && own.batchHash === batchHash) {
      const { changed, writes } = registry.report(
        number,
        { batchHash, status: "final", inclusion },
        Date.now(),
      );
      await log.write(writes);
      return { isOwn: true, record: changed[0] ?? own };
    }
    if (registry.closedNumber > registry.finalNumber || this.hasOpenBatch)
      await this.rewind(registry.finalNumber);
    const { queueHead } = head.position;
    const epochs = new PostedEpochs(head.ledger, batch, queueHead);
    const changes = head.applyPosted(batch, settlements);
    const record = this.#recordFor(event, { ...head.position, sequence: log.lastSequence });
    const queueWrites = postedQueueWrites(record, queueHead, (index) => {
      const entry = queued(index);
      if (entry === undefined) throw differs("queueIndex", "an entry on L1", index);
      return entry;
    });
    const bookWrites = registry.replaceAfter(registry.finalNumber, [[record, changes]]);
    await log.write([...bookWrites, ...queueWrites, ...epochs.writes(head.ledger)]);
    return { isOwn: false, record };
  }

  #recordFor(event: BatchEvent, position: StoredBatch["position"]): StoredBatch {
    const { batch, blockNumber, circuitIndex, commitment, l1TransactionHash: transactionHash } = event;
    const { circuitId } = this.#rollup.circuits[circuitIndex]!;
    const nowMs = Date.now();
    const times = { openedAtMs: nowMs, closedAtMs: nowMs, firstSequence: position.sequence, rebuildCount: 0 };
    return {
      ...recordOf(
        { data: batch },
        { circuitId, commitment, position, posted: event, settlements: [], ...times },
      ),
      status: "final",
      l1: { transactionHash, blockNumber, gasUsed: null },
      postedAtMs: nowMs,
    };
  }
}

function differs(what: string, expected: unknown, actual: unknown, cause?: unknown) {
  return sequencerError("SEQ_LEADER_DIFFERS", `${what} is ${actual} there, ${expected} here`, {
    data: { what, expected: String(expected), actual: String(actual) },
    cause,
  });
}
