/**
 * The pipeline of batches: the open one that is being filled, the closed ones on their way to L1, and the queue
 * entries that go in before anything else. sequencer.ts and the operator's routes drive it.
 *
 * Everything that changes the ledger runs between two awaits, or under `runExclusive`; so the order of execution,
 * of opIndex and of the log's entries is one and the same.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { checkSigned } from "@openledger/circuits/batch/slot";
import type { Operation } from "@openledger/circuits/batch/slot-trace";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { type DataMode, kindRule } from "@openledger/circuits/protocol";
import { type ClosedDraft, openClosedDraft } from "@openledger/circuits/table/table-builder";
import type { CircuitInputs } from "@openledger/prover/proving/prover";
import { formatEther } from "viem";
import { OperatorAccount } from "../fees/operator-account.ts";
import { UnitFee } from "../fees/unit-fee.ts";
import { sequencerError } from "../sequencer-errors.ts";
import { executedEntry, operationOf } from "../store/executed-queue.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import type { ExecutedEntry, OpenedEntry, StoredQueueEntry } from "../store/log-entry.ts";
import type { SettlementPosting } from "../store/settlement-posting.ts";
import { type StoreWrite, storeKeys } from "../store/store-keys.ts";
import type { ProofReport, StoredBatch } from "../store/stored-batch.ts";
import { maxUnpostedOperations, type UnpromisedPositions } from "../store/unpromised-positions.ts";
import { BatchDeadline } from "./batch-deadline.ts";
import type { BatchPipelineModules, BatchPipelineOptions, L1Head } from "./batch-pipeline-options.ts";
import { type BatchRegistry, type L1Report, requireFinal } from "./batch-registry.ts";
import { closeBatch, type SourceChooser } from "./close-batch.ts";
import type { DataChoice } from "./data-choice.ts";
import {
  type ForeignBatch,
  type MalformedBatch,
  readForeignBatches,
  sharedNumber,
} from "./from-l1/foreign-batch.ts";
import { freshQueueEntries, type NewQueueEntry } from "./from-l1/queue-entry.ts";
import { planQueueReplacement } from "./from-l1/queue-replacement.ts";
import { announceRebased, type RebaseOptions, rebaseBatches } from "./from-l1/rebase.ts";
import type { Execution, HeadState } from "./head-state.ts";
import { StageEstimates } from "./proving/stage-estimates.ts";
import { rebuildBatches } from "./rebuild.ts";
import type { Restored } from "./restore.ts";
import { forcedEpochWrites, waitsForL1 } from "./settling/stored-epochs.ts";

export class BatchPipeline {
  readonly head: HeadState;
  readonly registry: BatchRegistry;
  readonly estimates: StageEstimates;
  readonly fee: UnitFee;
  readonly account: OperatorAccount;
  readonly data: DataChoice;
  readonly unpromised: UnpromisedPositions;
  l1Head: L1Head | null = null;
  /** The batch on L1 that breaks the ledger's rules, as long as L1 has it: nothing behind it can be posted. */
  malformed: MalformedBatch | null = null;
  /** Index of the queue entry that the bridge hands over next. */
  queueSeenIndex: number;
  readonly #options: BatchPipelineOptions;
  readonly #modules: BatchPipelineModules;
  readonly #log: LedgerLog;
  readonly #deadline: BatchDeadline;
  readonly #waiting: StoredQueueEntry[];
  #opened: { entry: OpenedEntry; sequence: number } | null;
  #exclusive: Promise<void> | null = null;

  constructor(options: BatchPipelineOptions, modules: BatchPipelineModules, restored: Restored) {
    this.#options = options;
    this.#modules = modules;
    this.#log = modules.log;
    this.data = modules.data;
    this.head = restored.head;
    this.registry = restored.registry;
    this.unpromised = restored.unpromised;
    this.#opened = restored.opened;
    this.#waiting = restored.waiting;
    this.queueSeenIndex = restored.head.position.queueHead + restored.waiting.length;
    this.estimates = new StageEstimates(options);
    this.fee = new UnitFee(options, modules, restored.nextFeeWei);
    this.account = new OperatorAccount(options.feeProofCostWei);
    this.#deadline = new BatchDeadline(options.closeIntervalMs);
    if (this.#opened !== null) this.#deadline.noteOperation(this.#opened.entry.openedAtMs);
  }

  /** Time of the open batch's first operation, or null. */
  get openedAtMs(): number | null {
    return this.#opened?.entry.openedAtMs ?? null;
  }

  /** Fee per unit of the open batch, or of the next one where none is open, in wei. */
  get feePerUnitWei(): bigint {
    return this.#opened?.entry.feePerUnitWei ?? this.fee.nextWei;
  }

  /** Share of the batches that may wait for L1 and do: 0 to 1. */
  get load(): number {
    return (this.registry.closedNumber - this.registry.reached("posted")) / this.#options.maxUnpostedBatches;
  }

  /**
   * Executes a signed operation, or a settlement with its posting for L1, in the open batch.
   * @throws OP_*, SEQ_L1_HEAD_UNKNOWN, SEQ_BACKLOG_FULL, and changes nothing
   */
  execute(operation: Operation, posting?: SettlementPosting): Execution {
    this.#makeRoom(operation, posting);
    return this.head.execute(operation, posting);
  }

  /**
   * Refuses a signed operation as `execute` would now, and changes nothing. Of kinds that create no leaf.
   * @throws OP_*, SEQ_L1_HEAD_UNKNOWN, SEQ_BACKLOG_FULL
   */
  check(operation: SignedOperation): void {
    this.#requireBacklogRoom(operation);
    const { openBatch, ledger, position, rules } = this.head;
    const timestamp = openBatch?.terms.timestamp ?? this.head.nextTimestamp(this.#knownTimestamp());
    const { feePerUnitWei } = this;
    const batchNumber = BigInt(openBatch?.number ?? position.batchNumber + 1);
    checkSigned(ledger, operation, { ...rules, batchNumber, timestamp, feePerUnitWei });
  }

  /** L1's time. @throws SEQ_L1_HEAD_UNKNOWN */
  #knownTimestamp(): bigint {
    if (this.l1Head !== null) return BigInt(this.l1Head.timestamp);
    throw sequencerError("SEQ_L1_HEAD_UNKNOWN", "the bridge has not reported L1's head yet");
  }

  /** Makes sure that the open batch has a slot for the operation. @throws SEQ_L1_HEAD_UNKNOWN, SEQ_BACKLOG_FULL */
  #makeRoom(operation: Operation, posting?: SettlementPosting): void {
    this.#requireBacklogRoom(operation);
    const open = this.head.openBatch;
    if (open !== null && open.operationCount > 0) {
      if (this.head.hasRoomFor(operation, posting)) return;
      this.#close();
    }
    const l1Timestamp = this.#knownTimestamp();
    const unposted = this.registry.closedNumber - this.registry.reached("posted");
    if (unposted >= this.#options.maxUnpostedBatches && !kindRule(operation.kind)?.isQueue) {
      throw sequencerError("SEQ_BACKLOG_FULL", `${unposted} batches wait for their proof or for L1`, {
        data: { unpostedCount: unposted },
      });
    }
    const { feeAccountId } = this.#options;
    const timestamp = this.head.nextTimestamp(l1Timestamp);
    this.head.openNext({ timestamp, feePerUnitWei: this.fee.nextWei, feeAccountId });
  }

  /** Bounds the promises that are lost with the directory, whatever batches queue entries open. @throws SEQ_BACKLOG_FULL */
  #requireBacklogRoom({ kind }: Operation): void {
    if (kindRule(kind)?.isSigned !== true) return;
    const { maxUnpostedBatches } = this.#options;
    const posted = this.registry.positionAfter(this.registry.reached("posted"));
    const operationCount = this.head.position.opIndex - posted.opIndex;
    if (operationCount < maxUnpostedOperations(maxUnpostedBatches, this.head.rules.shape)) return;
    throw sequencerError("SEQ_BACKLOG_FULL", `${operationCount} operations wait for their proof or for L1`, {
      data: { unpostedOperationCount: operationCount },
    });
  }

  /** Logs an executed operation, with the opening of its batch if it is the first. Closes the batch if it is full. */
  note(entry: ExecutedEntry, writes: readonly StoreWrite[] = []): Promise<void> {
    const nowMs = this.#modules.clock();
    const { number, terms } = this.head.openBatch!;
    const entries: (OpenedEntry | ExecutedEntry)[] = [];
    const announced: StoreWrite[] = [];
    if (this.#opened === null) {
      const openedEntry: OpenedEntry = { type: "opened", batchNumber: number, openedAtMs: nowMs, ...terms };
      this.#opened = { entry: openedEntry, sequence: this.#log.lastSequence + 1 };
      entries.push(openedEntry);
      announced.push({ key: storeKeys.nextFee, value: this.fee.advance(this.load) });
    }
    entries.push(entry);
    const durable = this.#log.append(entries, [...writes, ...announced]);
    this.#deadline.noteOperation(nowMs);
    this.#modules.metrics.mempool.operations.inc({ kind: kindRule(entry.operation.kind)!.name });
    // batch closes: when it is full, and when its time has come (closeIfDue).
    if (this.#isDone) this.#close();
    return durable;
  }

  #close(data: SourceChooser = this.data): Promise<void> {
    const { entry, sequence: firstSequence } = this.#opened!;
    try {
      const { record, writes } = closeBatch(
        { head: this.head, registry: this.registry, data },
        {
          openedAtMs: entry.openedAtMs,
          closedAtMs: this.#modules.clock(),
          firstSequence,
          sequence: this.#log.lastSequence + 1,
          rebuildCount: 0,
        },
      );
      this.#opened = null;
      this.#deadline.clear();
      const durable = this.#log.append([{ type: "closed", batchNumber: record.number }], writes);
      this.estimates.noteClosed(record);
      this.#modules.metrics.batches.buildSeconds.observe((record.closedAtMs - record.openedAtMs) / 1_000);
      durable.then(
        () => this.#announce([record]),
        () => {},
      );
      return durable;
    } catch (error) {
      // The fees are credited, the batch is not in the registry: memory cannot be used any more.
      this.#modules.onFatal(error);
      throw error;
    }
  }

  /**
   * Closes the open batch now.
   * @param place of its data; default: as the setting has it. A later rebuild of the batch chooses again
   * @returns its number, or null where it holds nothing
   * @throws SEQ_PLACE_IMPOSSIBLE, and leaves the batch open
   */
  async closeNow(source?: DataMode): Promise<number | null> {
    const data = source === undefined ? this.data : this.data.byOperator(source);
    await this.idle();
    if (this.#opened === null) return null;
    await this.#close(data);
    return this.registry.closedNumber;
  }

  /**
   * True where the open batch has no place left; or where it has places for narrow operations alone, and no other batch
   * waits for its proof. The next wide operation would close it. While the prover has work, filling the table further
   * costs nothing.
   */
  get #isDone(): boolean {
    return this.head.isFull || (!this.head.hasWideRoom && this.registry.unprovenCount === 0);
  }

  /** Closes the open batch if its time has come. */
  closeIfDue(): void {
    if (this.#exclusive !== null || this.#opened === null) return;
    if (this.#isDone || this.#deadline.isDue(this.#modules.clock())) this.#close().catch(() => {});
  }

  /** A closed batch; final ones come from the store. */
  async batch(batchNumber: number): Promise<StoredBatch | undefined> {
    const record = this.registry.record(batchNumber);
    if (record !== undefined || batchNumber > this.registry.finalNumber) return record;
    return this.#log.batch(batchNumber);
  }

  #announce(batches: readonly StoredBatch[]): void {
    const { metrics, feed, logger } = this.#modules;
    for (const batch of batches) {
      const { number: batchNumber, status, batchHash } = batch;
      this.estimates.noteStatus(batch, this.#modules.clock());
      this.account.note(batch);
      const data = { batchNumber, status, batchHash, l1TransactionHash: batch.l1?.transactionHash ?? null };
      feed.publish("batches", status, data);
      const ids = this.registry.changesOf(batchNumber).map(([id]) => id);
      for (const id of ids) feed.publish(`leaf:${id}`, status, data);
      logger.debug({ batchNumber, status }, "batch status");
    }
    metrics.fees.unitFee.set(Number(formatEther(this.fee.nextWei)));
    const { resultWei } = this.account.result(this.fee.openPerEther());
    metrics.fees.operatorResult.set(Number(formatEther(resultWei ?? 0n)));
    metrics.batches.proverQueueLength.set(this.registry.unprovenCount);
    metrics.batches.finalizedBatch.set(this.registry.finalNumber);
    if (batches.some(({ status }) => status === "closed")) this.#modules.onClosed?.();
  }

  // The operator's processes

  /** Closed batches without a proof, in order. */
  async unprovenBatches(): Promise<readonly StoredBatch[]> {
    await this.idle();
    await this.#log.flushed();
    return this.registry.unproven();
  }

  /** The circuit's inputs of one of them. @returns null where it needs no proof (any more) */
  async proofInputs(batchHash: string): Promise<CircuitInputs | null> {
    const batch = (await this.unprovenBatches()).find((one) => one.batchHash === batchHash);
    if (batch === undefined) return null;
    const draft = await this.#log.require<ClosedDraft>(storeKeys.draft(batch.number));
    return this.#modules.circuitInputs(openClosedDraft(draft), batch.publicSignals[2]);
  }

  /** Takes a proof that was verified (BatchProver). @throws SEQ_UNKNOWN, SEQ_BATCH_CONFLICT, SEQ_PROOF_INVALID */
  async addProof(
    batchNumber: number,
    batchHash: string,
    publicSignals: readonly bigint[],
    report: Omit<ProofReport, "provenAtMs">,
  ): Promise<void> {
    await this.idle();
    if (batchNumber <= this.registry.finalNumber) return requireFinal(this.#log, batchNumber, batchHash);
    const writes = this.registry.addProof(batchNumber, batchHash, publicSignals, {
      ...report,
      provenAtMs: this.#modules.clock(),
    });
    if (writes.length === 0) return;
    await this.#log.write(writes);
    for (const [name, durationMs] of Object.entries(report.timings)) {
      const stage = name.replace(/Ms$/, "");
      if (["witness", "prove", "verify"].includes(stage))
        this.#modules.metrics.batches.proofSeconds.observe({ stage }, durationMs / 1_000);
    }
    const record = this.registry.record(batchNumber);
    if (record !== undefined) this.#announce([record]);
  }

  /** @throws SEQ_UNKNOWN, SEQ_BATCH_CONFLICT */
  async reportBatch(batchNumber: number, report: L1Report, reason: string | null): Promise<void> {
    await this.idle();
    if (batchNumber <= this.registry.finalNumber) {
      await requireFinal(this.#log, batchNumber, report.batchHash);
      if (report.status === "dropped") {
        throw sequencerError("SEQ_BATCH_CONFLICT", `batch ${batchNumber} is final`, {
          data: { reason: "batch-final", batchNumber },
        });
      }
      return;
    }
    const { writes, changed } = this.registry.report(batchNumber, report, this.#modules.clock());
    this.#modules.metrics.batches.publish.inc({ result: report.status });
    if (report.status === "dropped")
      this.#modules.logger.warn({ batchNumber, reason }, "batch taken back from L1");
    await this.#log.write(writes);
    this.#announce(changed);
    if (report.status !== "dropped") return;
    const foreign = this.registry.firstForeign(batchNumber);
    if (foreign !== null) await this.#undoForeign(foreign);
    if (reason === "stale-timestamp") this.#rebuildInBackground(batchNumber);
    if (reason !== "queue-overdue") return;
    await this.#runExclusive(async () => {
      if (this.registry.record(batchNumber)?.batchHash !== report.batchHash.toLowerCase()) return;
      await this.#rebase({ base: batchNumber - 1, foreign: [], isQueueFirst: true });
    });
  }

  /** L1's head as the bridge sees it. Opens the door to the first batch, and finds batches that got too old. */
  async setL1Head(l1Head: L1Head): Promise<void> {
    this.l1Head = l1Head;
    if (this.#waiting.length > 0) await this.#runExclusive(() => this.#drainWaiting());
    const openTimestamp = this.#opened === null ? l1Head.timestamp : Number(this.#opened.entry.timestamp);
    const stale = this.registry.firstStale(l1Head.timestamp, this.#options.staleMarginSeconds, openTimestamp);
    if (stale !== null) this.#rebuildInBackground(stale);
  }

  #rebuildInBackground(fromNumber: number): void {
    // A second request while one runs would find nothing left to do, or comes again with the next L1 head.
    if (this.#exclusive !== null) return;
    this.#runExclusive(async () => {
      const log = this.#log;
      const modules = this.#modules;
      const { head, registry } = this;
      const startedAtMs = modules.clock();
      const { rebuilt, opened } = await rebuildBatches(
        { head, registry, log, data: this.data },
        { fromNumber, l1Timestamp: BigInt(this.l1Head?.timestamp ?? 0), nowMs: startedAtMs },
      );
      this.#opened = opened;
      modules.metrics.batches.rebuilt.inc(rebuilt.length);
      modules.logger.warn(
        { fromNumber, rebuiltCount: rebuilt.length, durationMs: modules.clock() - startedAtMs },
        "batches rebuilt",
      );
      this.#announce(rebuilt);
    }).catch((error: unknown) => this.#modules.onFatal(error));
  }

  /** Undoes a batch of somebody else that L1 took back: the operations behind it are executed again without it. */
  async #undoForeign(batchNumber: number): Promise<void> {
    await this.#runExclusive(async () => {
      if (this.registry.record(batchNumber)?.isForeign !== true) return;
      await this.#rebase({ base: batchNumber - 1, foreign: [], isQueueFirst: true });
    });
  }

  /**
   * Takes over batches of somebody else that L1 has, in order, up to the first that breaks the ledger's rules; ones
   * that are here already may come again, and so may that one.
   * @returns the number of the last final batch, and that one
   * @throws SEQ_BATCH_CONFLICT; SEQ_QUEUE_GAP where they hold queue entries that were not handed over yet
   */
  async takeForeignBatches(
    batches: readonly ForeignBatch[],
  ): Promise<{ finalNumber: number; malformed: MalformedBatch | null }> {
    return this.#runExclusive(async () => {
      const modules = this.#modules;
      const { head, registry, queueSeenIndex } = this;
      const base = sharedNumber(registry, batches);
      const facts = { rules: head.rules, circuits: modules.circuits, queueSeenIndex };
      const { malformed, read: foreign } = readForeignBatches(batches, registry.positionAfter(base), facts);
      // The bridge reports it again with every look.
      if (foreign[0] === undefined || !isSame(foreign[0].source, this.malformed)) {
        const isQueueFirst = foreign.some(({ queueCount }) => queueCount > 0);
        const found = foreign.length > 0 ? await this.#rebase({ base, foreign, isQueueFirst }) : null;
        this.malformed = found ?? malformed;
      }
      return { finalNumber: registry.finalNumber, malformed: this.malformed };
    });
  }

  async #rebase(
    plan: Pick<RebaseOptions, "base" | "foreign" | "isQueueFirst" | "queue">,
  ): Promise<MalformedBatch | null> {
    const log = this.#log;
    const modules = this.#modules;
    const waiting = this.#waiting;
    const { head, registry } = this;
    const nowMs = modules.clock();
    const l1Timestamp = BigInt(this.l1Head?.timestamp ?? 0);
    try {
      const { feeAccountId } = this.#options;
      const terms = { feeAccountId, feePerUnitWei: this.feePerUnitWei };
      const options = { ...plan, terms, l1Timestamp, nowMs };
      const { data, unpromised } = this;
      const rebased = await rebaseBatches({ head, registry, log, data, unpromised }, options);
      this.#opened = rebased.opened;
      this.#deadline.clear();
      if (this.#opened !== null) this.#deadline.noteOperation(nowMs);
      while (waiting[0] !== undefined && waiting[0].queueIndex < head.position.queueHead) waiting.shift();
      this.#announce([...rebased.foreign, ...rebased.closed]);
      announceRebased(rebased, modules);
      return rebased.malformed;
    } catch (error) {
      modules.onFatal(error);
      throw error;
    }
  }

  /**
   * Takes over entries of the L1 queue, in order; known ones may repeat.
   * @returns the index of the entry that comes next
   * @throws SEQ_QUEUE_GAP, SEQ_QUEUE_CONFLICT
   */
  async addQueueEntries(entries: readonly NewQueueEntry[]): Promise<{ nextIndex: number }> {
    return this.#runExclusive(async () => {
      const fresh = await freshQueueEntries(entries, this.queueSeenIndex, this.#log);
      if (fresh.length > 0) {
        await this.#log.write(fresh.map((value) => ({ key: storeKeys.queueEntry(value.queueIndex), value })));
        this.#waiting.push(...fresh);
        this.queueSeenIndex += fresh.length;
        await this.#drainWaiting();
      }
      return { nextIndex: this.queueSeenIndex };
    });
  }

  /**
   * Replaces handed-over entries from `fromIndex` on by these, after L1 took them back: later operations are executed
   * again without them. Signed operations stay, in their order; one that no longer executes is dropped.
   * @returns the index of the entry that comes next
   * @throws SEQ_QUEUE_GAP, SEQ_QUEUE_FINAL, SEQ_BATCH_CONFLICT
   */
  async replaceQueueEntries(
    fromIndex: number,
    entries: readonly NewQueueEntry[],
  ): Promise<{ nextIndex: number }> {
    return this.#runExclusive(async () => {
      const facts = { entries, fromIndex, seenIndex: this.queueSeenIndex };
      const plan = await planQueueReplacement(facts, this.registry, this.#log);
      if (plan !== null) {
        await this.#rebase({ base: plan.base, foreign: [], isQueueFirst: false, queue: plan.queue });
        const waiting = await this.#log.queueEntriesFrom(this.head.position.queueHead);
        this.#waiting.splice(0, this.#waiting.length, ...waiting);
        this.queueSeenIndex = plan.seenIndex;
        await this.#drainWaiting();
      }
      return { nextIndex: this.queueSeenIndex };
    });
  }

  async #drainWaiting(): Promise<void> {
    let durable: Promise<void> = Promise.resolve();
    while (this.#waiting.length > 0 && this.l1Head !== null) {
      const record = this.#waiting[0]!;
      if (waitsForL1(record, this.head.ledger, this.registry)) break;
      const operation = operationOf(record);
      this.#makeRoom(operation);
      const { opIndex, slot, trace } = this.head.execute(operation);
      this.#waiting.shift();
      const batchNumber = this.head.openBatch!.number;
      const { entry, write } = executedEntry(record, trace.record, { batchNumber, slot, opIndex });
      const epochs = forcedEpochWrites(this.head.ledger, trace.record, trace.b, entry);
      durable = this.note(entry, [...epochs, write]);
      await nextTurn();
    }
    await durable;
  }

  // Order

  /** Resolves when nothing holds the ledger for itself. */
  async idle(): Promise<void> {
    while (this.#exclusive !== null) await this.#exclusive;
  }

  #runExclusive<T>(job: () => Promise<T>): Promise<T> {
    const run = (this.#exclusive ?? Promise.resolve()).then(job);
    const settled: Promise<void> = run
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (this.#exclusive === settled) this.#exclusive = null;
      });
    this.#exclusive = settled;
    return run;
  }
}

const isSame = (one: ForeignBatch, other: MalformedBatch | null) =>
  one.transactionHash === other?.transactionHash &&
  one.batchNumber === other.batchNumber &&
  one.blockNumber === other.blockNumber;
