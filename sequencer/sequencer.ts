/**
 * The sequencer: takes signed operations, executes them at once in the open batch and acknowledges durable ones.
 * batch-pipeline.ts handles batches; for HTTP see api.ts.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { operationError } from "@openledger/circuits/circuit-errors";
import { type OperationMessage, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import type { LedgerPosition } from "@openledger/circuits/ledger/ledger";
import {
  hashMessages,
  leafReference,
  messageName,
  operationMessage,
  type SignedOperation,
} from "@openledger/circuits/ledger/operation";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { BatchPipeline } from "./batches/batch-pipeline.ts";
import type { BatchPipelineModules, BatchPipelineOptions } from "./batches/batch-pipeline-options.ts";
import { type EpochCloseOnL1, noteCloseOnL1 } from "./batches/from-l1/epoch-close-on-l1.ts";
import { type ForeignBatch, malformedOnL1 } from "./batches/from-l1/foreign-batch.ts";
import { type Restored, type RestoreOptions, restore } from "./batches/restore.ts";
import type { PreVerifiedOnL1, SettlementRequest } from "./batches/settling/settlement-request.ts";
import {
  type KnownSettlement,
  SettlementService,
  type SettlementServiceModules,
} from "./batches/settling/settlement-service.ts";
import { epochWrites } from "./batches/settling/stored-epochs.ts";
import { type AdmissionMode, AdmissionPolicy } from "./intake/admission-policy.ts";
import { emptyStore, L1Position, type L1Report } from "./intake/l1-position.ts";
import { L1Stall } from "./intake/l1-stall.ts";
import { Mempool, type MempoolLimits, type PendingOperation } from "./intake/mempool.ts";
import { checkPolicy } from "./intake/operation-policy.ts";
import { OperatorEvents } from "./intake/operator-events.ts";
import { requireEpochPosted, requirePublicationPosted } from "./intake/posted-first.ts";
import type { SignaturePool } from "./intake/signature-pool.ts";
import type { PlainCheck } from "./intake/signature-tasks.ts";
import { sequencerError } from "./sequencer-errors.ts";
import { readDropped } from "./store/dropped-operation.ts";
import type { LeafOperations, LedgerLog } from "./store/ledger-log.ts";
import { leavesOf, type OperationEntry } from "./store/log-entry.ts";
import {
  type KnownOperation,
  type KnownQueueEntry,
  knownQueueEntry,
  operationStatusOf,
  remembered,
  unexecuted,
} from "./store/operation-status.ts";
import type { PreconfirmationSigner } from "./store/preconfirmations.ts";
import type { StoredBatch } from "./store/stored-batch.ts";
import { maxUnpostedOperations } from "./store/unpromised-positions.ts";

export interface SequencerOptions extends MempoolLimits, BatchPipelineOptions, RestoreOptions {
  readonly dataPath: string;
  readonly preconfirmationDeadlineSeconds: number;
  /** Address of the rollup's contract: nobody can check what is withdrawn to it. */
  readonly rollupAddress: `0x${string}`;
  /** Time without a new block of L1 after which there is an alarm. Default: never. */
  readonly l1StalledAlarmMs?: number | null;
  /** "open" by default. */
  readonly mode?: AdmissionMode;
}

interface SequencerModules extends BatchPipelineModules {
  readonly preconfirmations: PreconfirmationSigner;
  /** Checks signatures beside this thread; without it they are checked when operations are executed. */
  readonly signatures?: Pick<SignaturePool, "verify">;
  readonly circuits: SettlementServiceModules["circuits"];
}

interface Submission {
  readonly hash: `0x${string}`;
  readonly status: KnownOperation["status"];
  readonly preconfirmation: Preconfirmation | null;
}

/** Facts that a preconfirmation of the entry promises. */
const promiseOf = ({ deadlineSeconds, hash, opIndex }: OperationEntry) => ({
  operationHash: hash,
  opIndex,
  deadlineSeconds,
});

/** Maximum signed operations that a lost directory may have had and L1 has not; a node of L1's may have forgotten a batch. */
const maxLostCount = ({ maxUnpostedBatches, rules }: SequencerOptions) =>
  maxUnpostedOperations(maxUnpostedBatches + 1, rules.shape);

/** Maximum dropped operations that are still answered for. Guess. */
const MAX_DROPPED_COUNT = 10_000;

export class Sequencer {
  readonly options: SequencerOptions;
  readonly log: LedgerLog;
  readonly pipeline: BatchPipeline;
  readonly mempool: Mempool;
  readonly settlements: SettlementService;
  readonly admission: AdmissionPolicy;
  readonly place: L1Position;
  readonly l1Stall: L1Stall;
  readonly news: OperatorEvents;
  readonly #modules: SequencerModules;
  readonly #inFlight = new Map<string, Promise<Submission>>();
  readonly #dropped = new Map<string, KnownOperation>();
  /** Leaves whose next operation waits for something other than a nonce. */
  readonly #stalled = new Set<number>();
  /** Operations of this turn of the event loop whose hashes are not computed yet. */
  #unnamed: { readonly operations: SignedOperation[]; readonly done: Promise<void> } | null = null;
  #isStopping = false;

  /** @throws SEQ_STORE_INCONSISTENT */
  static async start(options: SequencerOptions, modules: SequencerModules): Promise<Sequencer> {
    const startedAtMs = modules.clock();
    const restored = await restore(modules.log, options);
    const { registry, head, leafCount, replayedCount, timings } = restored;
    modules.log.keepLeaves(head.ledger, () => registry.finalNumber);
    const { byteCount: checkedBytes, durationMs: checkMs, tableCount: checkedTables } = modules.log.check;
    modules.logger.info(
      {
        finalBatch: registry.finalNumber,
        closedBatch: registry.closedNumber,
        opIndex: head.position.opIndex,
        replayedCount,
        leafCount,
        durationMs: modules.clock() - startedAtMs,
        checkedTables,
        checkedBytes,
        checkMs,
        ...timings,
      },
      "ledger restored",
    );
    const { log } = modules;
    const bounded = restored.unpromised.bound(maxLostCount(options));
    if (bounded !== null) await log.write([bounded]);
    const sequencer = new Sequencer(options, modules, restored);
    const { pipeline } = sequencer;
    const recorded = async (number: number) => registry.record(number) ?? log.storedBatch(number);
    await pipeline.estimates.recall(recorded, registry.closedNumber);
    const last = await pipeline.batch(registry.closedNumber);
    if (last !== undefined) pipeline.data.recall(last.circuit);
    await pipeline.account.recall(recorded, registry.reached("posted"));
    return sequencer;
  }

  private constructor(options: SequencerOptions, modules: SequencerModules, restored: Restored) {
    this.options = options;
    this.#modules = modules;
    this.log = modules.log;
    this.pipeline = new BatchPipeline(options, modules, restored);
    this.mempool = new Mempool(options);
    this.news = new OperatorEvents(modules.clock);
    this.place = new L1Position({
      registry: this.pipeline.registry,
      logger: modules.logger,
      behindGauge: modules.metrics.behind,
      lacksFinalGauge: modules.metrics.lacksFinal,
    });
    this.l1Stall = new L1Stall(options.l1StalledAlarmMs ?? null, {
      clock: modules.clock,
      logger: modules.logger,
      gauge: modules.metrics.l1Stalled,
    });
    this.admission = new AdmissionPolicy(options.mode ?? "open", {
      place: this.place,
      logger: modules.logger,
      frozenGauge: modules.metrics.frozen,
      malformedGauge: modules.metrics.batchMalformed,
    });
    this.settlements = new SettlementService({ ...modules, pipeline: this.pipeline });
  }

  /**
   * Executes and acknowledges an operation whose nonce is next; one behind a nonce gap waits in the mempool. The promise
   * resolves when the result is durable. A repeated operation gets its former answer.
   * @throws OP_*, SEQ_* (docs/reference/errors.md), and changes nothing
   */
  async submit(operation: SignedOperation): Promise<Submission> {
    if (this.#isStopping) throw sequencerError("SRV_STOPPING", "the sequencer is shutting down");
    checkPolicy(operation, this.options.rollupAddress);
    // Nobody changes it any more, so its words and its name are hashed once.
    Object.freeze(operation.words);
    Object.freeze(operation);
    const { signatures } = this.#modules;
    const check = signatures === undefined ? null : await this.#signatureToCheck(operation);
    // The verdict is remembered: later steps accept a good signature, and refuse a bad one when they come to it.
    if (check !== null) await signatures!.verify(check, operation.a);
    return this.#admit(operation);
  }

  /**
   * Refuses an operation as `submit` would now, and changes nothing. Of kinds that create no leaf. One behind a nonce gap is
   * refused, too: nothing would acknowledge it.
   * @returns its name, and whether it was executed before
   * @throws OP_*, SEQ_* (docs/reference/errors.md)
   */
  async check(operation: SignedOperation): Promise<{ hash: `0x${string}`; isExecuted: boolean }> {
    if (this.#isStopping) throw sequencerError("SRV_STOPPING", "the sequencer is shutting down");
    checkPolicy(operation, this.options.rollupAddress);
    Object.freeze(operation.words);
    Object.freeze(operation);
    const { signatures } = this.#modules;
    const check = signatures === undefined ? null : await this.#signatureToCheck(operation);
    if (check !== null) await signatures!.verify(check, operation.a);
    await this.pipeline.idle();
    const { leaf, hash } = this.#messageOf(operation);
    try {
      this.admission.require(operation.kind);
      this.pipeline.check(operation);
      return { hash, isExecuted: false };
    } catch (error) {
      if (operation.nonce >= leaf.nonce) throw error;
      // Looked for last: one that is executed meanwhile is found, too.
      if (!this.#inFlight.has(hash) && (await this.log.operation(hash)) === undefined) throw error;
      return { hash, isExecuted: true };
    }
  }

  /** Signature to check beside this thread before the operation is admitted; null where it decides nothing. */
  async #signatureToCheck(operation: SignedOperation): Promise<PlainCheck | null> {
    await this.#named(operation);
    await this.pipeline.idle();
    if (this.#isStopping) throw sequencerError("SRV_STOPPING", "the sequencer is shutting down");
    const { leaf, message, hash } = this.#messageOf(operation);
    const isKnown = this.#inFlight.has(hash) || this.mempool.get(hash) !== undefined;
    if (isKnown || operation.nonce < leaf.nonce) return null;
    this.admission.require(operation.kind);
    if (operation.maxFeePerUnitWei < this.pipeline.feePerUnitWei) return null;
    return { keyX: leaf.keyX, message, signature: operation.signature };
  }

  /** Resolves when the operation has its name: those that come in one turn are hashed together. */
  #named(operation: SignedOperation): Promise<void> {
    if (this.#unnamed === null) {
      const operations: SignedOperation[] = [];
      const done = nextTurn().then(() => {
        this.#unnamed = null;
        hashMessages(operations.map((one) => ({ operation: one, context: this.#contextOf(one) })));
      });
      this.#unnamed = { operations, done };
    }
    this.#unnamed.operations.push(operation);
    return this.#unnamed.done;
  }

  async #admit(operation: SignedOperation): Promise<Submission> {
    await this.pipeline.idle();
    if (this.#isStopping) throw sequencerError("SRV_STOPPING", "the sequencer is shutting down");
    const { leaf, message, hash } = this.#messageOf(operation);
    const running = this.#inFlight.get(hash);
    if (running !== undefined) return running;
    if (operation.nonce < leaf.nonce) {
      const known = await this.log.operation(hash);
      if (known !== undefined) return this.#answer(known);
    }
    this.admission.require(operation.kind);
    if (operation.nonce > leaf.nonce) return this.#keepPending(operation, hash, message, leaf.keyX);
    const submission = this.#execute(operation, hash);
    const replaced = this.mempool.take(operation.a, operation.nonce);
    if (replaced !== null && replaced.hash !== hash) {
      this.#drop(
        replaced,
        sequencerError("SEQ_PENDING_ENDED", "another operation took this nonce", {
          data: { reason: "replaced", by: hash },
        }),
      );
    }
    void this.#promote(operation.a);
    return submission;
  }

  /**
   * Notes L1's place, as the bridge sees it. If the rollup has batches and the directory never held one, the process
   * ends: the queue would make another ledger of that directory.
   * @param place null: the bridge names none
   * @throws SEQ_WRONG_DIRECTORY
   */
  async noteL1Position(position: LedgerPosition | null, report: Omit<L1Report, "finalBlock">): Promise<void> {
    const { finalNumber } = this.pipeline.registry;
    const isBelow = position !== null && position.batchNumber < finalNumber;
    const finalBlock = isBelow ? ((await this.log.batch(finalNumber))?.l1?.blockNumber ?? null) : null;
    await this.pipeline.idle();
    const isEmpty = this.pipeline.registry.closedNumber === 0 && this.log.lastSequence < 0;
    if (position !== null && position.batchNumber > 0 && isEmpty && !this.place.isKnown) {
      const error = emptyStore(this.options.dataPath, position);
      this.#modules.onFatal(error);
      throw error;
    }
    this.place.note(position, { ...report, finalBlock });
  }

  get mode(): AdmissionPolicy["mode"] {
    return this.admission.mode;
  }

  /**
   * Submits a proven settlement; otherwise like `submit`. @throws the errors of SettlementService.submit; SRV_STOPPING
   */
  async submitSettlement(request: SettlementRequest): Promise<KnownSettlement> {
    if (this.#isStopping) throw sequencerError("SRV_STOPPING", "the sequencer is shutting down");
    this.admission.require(KIND[request.kind]);
    return this.settlements.submit(request);
  }

  /**
   * Takes over where L1 took a batch's CloseEpochs, and publishes that their randomness is there: who settles waits for it.
   * @throws SEQ_CLOSE_CONFLICT
   */
  async takeCloseOnL1(report: EpochCloseOnL1): Promise<void> {
    const isNew = await noteCloseOnL1(this.log, report);
    const { batchNumber, prevRandao } = report;
    if (isNew && prevRandao !== null) this.#modules.feed.publish("batches", "randomness", { batchNumber });
  }

  /** Submits a settlement that somebody pre-verified on L1. @returns SettlementService.takePreVerified's */
  async takePreVerifiedSettlement(preVerified: PreVerifiedOnL1): Promise<boolean> {
    if (this.#isStopping || !this.admission.leadsToL1) return false;
    return this.settlements.takePreVerified(preVerified);
  }

  /**
   * Calls BatchPipeline.takeForeignBatches. Where one of them breaks the ledger's rules, no operation is taken until L1
   * has it no more: no batch behind it could ever be posted, and a preconfirmation would promise just that.
   * @throws SEQ_BATCH_MALFORMED; SEQ_BATCH_CONFLICT, SEQ_QUEUE_GAP
   */
  async takeForeignBatches(batches: readonly ForeignBatch[]): Promise<{ finalNumber: number }> {
    const { finalNumber, malformed } = await this.pipeline.takeForeignBatches(batches);
    this.admission.noteMalformed(malformed);
    if (malformed !== null) throw malformedOnL1(malformed);
    return { finalNumber };
  }

  /** Closed batches without a proof, in order; none while L1 would take none of this sequencer's. */
  async batchesToProve(): Promise<readonly StoredBatch[]> {
    return this.admission.leadsToL1 ? this.pipeline.unprovenBatches() : [];
  }

  #messageOf(operation: SignedOperation) {
    const rule = kindRule(operation.kind)!;
    const { ledger } = this.pipeline.head;
    // A ledger that is behind L1 may not have a leaf yet: that is no fault of the operation's.
    const usesB = rule.usesB && !rule.isCreate;
    if (ledger.leaf(operation.a) === undefined || (usesB && ledger.leaf(operation.b) === undefined))
      this.place.require();
    const { leaf } = ledger.requireLeaf(operation.a);
    if (usesB) ledger.requireLeaf(operation.b);
    const context = this.#contextOf(operation);
    return {
      leaf,
      message: operationMessage(operation, context),
      hash: messageName(operation, context),
    };
  }

  /** Context of an operation's message; an unknown B has reference 0. */
  #contextOf({ b, kind }: SignedOperation): { domain: bigint; bRef: bigint } {
    const rule = kindRule(kind)!;
    const record = rule.usesB && !rule.isCreate ? this.pipeline.head.ledger.leaf(b) : undefined;
    return {
      domain: this.options.rules.domain,
      bRef: record === undefined ? 0n : leafReference(record.leaf),
    };
  }

  #keepPending(
    operation: SignedOperation,
    hash: `0x${string}`,
    message: OperationMessage,
    keyX: bigint,
  ): Submission {
    if (this.mempool.get(hash) === undefined) {
      const { feePerUnitWei } = this.pipeline;
      if (operation.maxFeePerUnitWei < feePerUnitWei) {
        throw operationError(
          "OP_FEE_TOO_LOW",
          `the fee is ${feePerUnitWei} wei a unit, the operation allows ${operation.maxFeePerUnitWei}`,
          {
            data: {
              feePerUnitWei: feePerUnitWei.toString(),
              maxFeePerUnitWei: operation.maxFeePerUnitWei.toString(),
            },
          },
        );
      }
      if (!verifySignature({ keyX, message, signature: operation.signature })) {
        throw operationError(
          "OP_BAD_SIGNATURE",
          `the signature is not leaf ${operation.a}'s over this operation, this rollup and this B`,
          {
            data: { id: operation.a, kind: kindRule(operation.kind)!.name },
          },
        );
      }
      const replaced = this.mempool.add({ hash, operation, arrivedAtMs: this.#modules.clock() });
      if (replaced !== null) {
        this.#drop(
          replaced,
          sequencerError("SEQ_PENDING_ENDED", "an operation that pays more took this nonce", {
            data: { reason: "replaced", by: hash },
          }),
        );
      }
      this.#modules.metrics.mempool.transactions.set(this.mempool.size);
      this.#dropped.delete(hash);
    }
    return { hash, status: "pending", preconfirmation: null };
  }

  /** Executes in memory at once, so the order is fixed when this returns; throws before it changes anything. */
  #execute(operation: SignedOperation, hash: `0x${string}`): Promise<Submission> {
    const startedAtMs = this.#modules.clock();
    requirePublicationPosted(this.pipeline, operation);
    requireEpochPosted(this.pipeline, operation);
    const { trace, slot, opIndex } = this.pipeline.execute(operation);
    const { b } = trace.record;
    const batch = this.pipeline.head.openBatch!;
    const entry: OperationEntry = {
      type: "operation",
      hash,
      operation,
      batchNumber: batch.number,
      slot,
      opIndex,
      createdId: kindRule(operation.kind)!.isCreate ? b : null,
      feeWei: trace.feeWei,
      deadlineSeconds: Number(batch.terms.timestamp) + this.options.preconfirmationDeadlineSeconds,
      acknowledgedAtMs: startedAtMs,
    };
    const records = epochWrites(this.pipeline.head.ledger, operation, trace, {
      hash,
      batchNumber: batch.number,
    });
    const durable = this.pipeline.note(entry, records);
    this.#dropped.delete(hash);
    const submission = (async () => {
      // Signed while the entry is on its way to the disk; nobody sees the signature before the entry is there.
      const isPromised = !this.pipeline.unpromised.has(entry.opIndex);
      const [preconfirmation] = await Promise.all([
        isPromised ? this.#modules.preconfirmations.sign(promiseOf(entry)) : null,
        durable,
      ]);
      return { hash, status: "acknowledged" as const, preconfirmation };
    })();
    this.#inFlight.set(hash, submission);
    const announce = async () => {
      try {
        const { preconfirmation } = await submission;
        this.#modules.metrics.mempool.acknowledgeSeconds.observe(
          (this.#modules.clock() - startedAtMs) / 1_000,
        );
        const data = {
          hash,
          kind: kindRule(operation.kind)!.name,
          a: operation.a,
          b,
          opIndex,
          batchNumber: entry.batchNumber,
          preconfirmation,
        };
        this.#modules.feed.publish("operations", "acknowledged", data);
        for (const id of leavesOf(entry)) this.#modules.feed.publish(`leaf:${id}`, "acknowledged", data);
      } catch {
        // The submitter gets the error.
      } finally {
        this.#inFlight.delete(hash);
      }
    };
    void announce();
    return submission;
  }

  /** Executes the pending operations of a leaf whose turn has come. */
  async #promote(leafId: number): Promise<void> {
    for (;;) {
      await nextTurn();
      await this.pipeline.idle();
      const nonce = this.pipeline.head.ledger.leaf(leafId)?.leaf.nonce;
      const pending = nonce === undefined || this.#isStopping ? null : this.mempool.take(leafId, nonce);
      if (pending === null) return;
      this.#modules.metrics.mempool.transactions.set(this.mempool.size);
      try {
        // Its message may have changed meanwhile, if B has a new owner; then its signature is wrong.
        const { hash } = this.#messageOf(pending.operation);
        this.admission.require(pending.operation.kind);
        void this.#execute(pending.operation, hash).catch(() => {});
      } catch (error) {
        if (isRollupError(error) && error.isRetryable) {
          this.mempool.add(pending);
          this.#stalled.add(leafId);
          return;
        }
        this.#drop(pending, error);
      }
    }
  }

  #drop({ hash, operation }: PendingOperation, error: unknown): void {
    const reason = isRollupError(error)
      ? error
      : sequencerError("SRV_INTERNAL", "the operation failed", { cause: error });
    this.#modules.metrics.errors.inc({ code: reason.code });
    this.#modules.metrics.mempool.transactions.set(this.mempool.size);
    this.#dropped.set(hash, unexecuted({ hash, operation }, "dropped", reason));
    if (this.#dropped.size > MAX_DROPPED_COUNT) this.#dropped.delete(this.#dropped.keys().next().value!);
    const data = { hash, a: operation.a, code: reason.code };
    this.#modules.feed.publish("operations", "dropped", data);
    this.#modules.feed.publish(`leaf:${operation.a}`, "dropped", data);
  }

  /** @throws SEQ_UNKNOWN, SEQ_HISTORY_PRUNED */
  async operation(hash: string): Promise<KnownOperation> {
    await this.#inFlight.get(hash)?.catch(() => {});
    const pending = this.mempool.get(hash);
    if (pending !== undefined) {
      return unexecuted(pending, "pending");
    }
    const entry = await this.log.operation(hash);
    if (entry !== undefined) return this.#known(entry);
    const dropped = this.#dropped.get(hash) ?? (await readDropped(this.log, hash));
    if (dropped !== undefined) return dropped;
    throw sequencerError("SEQ_UNKNOWN", `no operation ${hash} was acknowledged here`, {
      data: { reason: "operation", hash },
    });
  }

  /** Pending ones first, then newest first, executed queue entries in their places; with `before`, executed ones older than it. */
  async operationsOf(
    leafId: number,
    limit: number,
    before?: string | number,
  ): Promise<LeafOperations<KnownOperation | KnownQueueEntry>> {
    const pending = before === undefined ? this.mempool.of(leafId).reverse() : [];
    const executed = await this.log.operationsOf(leafId, limit, before).catch((error: unknown) => {
      if (pending.length > 0 && isRollupError(error, "SEQ_HISTORY_PRUNED"))
        return { operations: [], hasOlder: false, isComplete: false };
      throw error;
    });
    // A batch's record takes up to 300 kB, and many operations of a leaf share one.
    const batch = remembered((number: number) => this.pipeline.batch(number));
    const known = executed.operations.map((entry) =>
      entry.type === "queue" ? knownQueueEntry(entry, { batch }) : this.#known(entry, batch),
    );
    const all = [...pending.map((one) => unexecuted(one, "pending")), ...(await Promise.all(known))];
    const isWhole = all.length <= limit;
    return {
      operations: all.slice(0, limit),
      hasOlder: !isWhole || executed.hasOlder,
      isComplete: isWhole && executed.isComplete,
    };
  }

  async #known(
    entry: OperationEntry,
    batchOf: (number: number) => Promise<StoredBatch | undefined> = (number) => this.pipeline.batch(number),
  ): Promise<KnownOperation> {
    const batch = (await batchOf(entry.batchNumber)) ?? null;
    const status = operationStatusOf(batch);
    return {
      hash: entry.hash,
      operation: entry.operation,
      status,
      entry,
      batch,
      preconfirmation: await this.preconfirmationOf(entry),
      reason: null,
    };
  }

  async #answer(entry: OperationEntry): Promise<Submission> {
    const { hash, status, preconfirmation } = await this.#known(entry);
    return { hash, status, preconfirmation };
  }

  /**
   * The operator's promise for an executed operation, requested again. The same entry has the same promise; null where
   * its place may have been promised to another one.
   */
  async preconfirmationOf(entry: OperationEntry): Promise<Preconfirmation | null> {
    if (this.pipeline.unpromised.has(entry.opIndex)) return null;
    const facts = promiseOf(entry);
    const { preconfirmations } = this.#modules;
    return preconfirmations.signAgain?.(facts) ?? preconfirmations.sign(facts);
  }

  get isHealthy(): boolean {
    return !this.#isStopping && this.pipeline.malformed === null && !this.place.differs;
  }

  /** Further fields of /health. */
  get healthFacts(): object {
    const { malformed } = this.pipeline;
    if (this.#isStopping) return {};
    if (malformed !== null) return { status: "alarm", malformedBatch: malformed };
    return { ...this.l1Stall.healthFacts, ...this.place.healthFacts };
  }

  /** Does due work; call it a few times a second. */
  tick(): void {
    if (this.#isStopping) return;
    this.pipeline.closeIfDue();
    this.l1Stall.look();
    for (const expired of this.mempool.expire(this.#modules.clock())) {
      this.#drop(
        expired,
        sequencerError("SEQ_PENDING_ENDED", "the nonce gap before it was not filled in time", {
          data: { reason: "pending-expired" },
        }),
      );
    }
    for (const leafId of this.#stalled) {
      this.#stalled.delete(leafId);
      void this.#promote(leafId);
    }
  }

  /** Refuses new requests and waits for running ones. The open batch stays open and is continued after the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.pipeline.idle();
    await Promise.allSettled(this.#inFlight.values());
    await this.settlements.settled();
    await this.log.flushed();
  }
}
