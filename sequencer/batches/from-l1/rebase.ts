/**
 * Adopts batches that somebody else has posted to L1: own batches that L1 does not have are undone, the others' are applied,
 * and the acknowledged operations are executed again on top, in their order. Where a reorganisation takes the others' back, the
 * same undoes them: `base` is the batch before them, and the entries that they took are executed by own batches.
 * batch-pipeline.ts starts it at the bridge's report; a full node's ledger (followed-ledger.ts) takes only `forgetTail` and
 * `forgetEpochs` from here.
 *
 * Others' batches hold no signed operations, so every operation keeps its opIndex and its preconfirmation stays
 * true, up to the first that no longer executes (a forced withdrawal took its money, say). That one is dropped, by
 * name and reason, and those behind it move one place forward. Their places were promised already, so none is
 * signed for again (unpromised-positions.ts). Where the others carried on the queue, the entries that are left go
 * first: L1 wants overdue ones in every batch. The same helps where L1 refuses own batches because they leave such
 * entries for later ones.
 *
 * All of it is one atomic write. Until that is durable, a restart finds the old batches, and the bridge reports again.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Operation } from "@openledger/circuits/batch/slot-trace";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { kindRule } from "@openledger/circuits/protocol";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Metrics } from "../../metrics.ts";
import { droppedWrite } from "../../store/dropped-operation.ts";
import {
  executedEntry,
  forgetPostedQueue,
  operationOf,
  postedQueueWrites,
  queueIndexWrites,
} from "../../store/executed-queue.ts";
import type { LeafChanges, LedgerLog } from "../../store/ledger-log.ts";
import {
  type BatchTerms,
  type ExecutedEntry,
  type LogEntry,
  leavesOf,
  type OpenedEntry,
  type OperationEntry,
  type SettlementEntry,
  type StoredQueueEntry,
} from "../../store/log-entry.ts";
import type { SettlementPosting } from "../../store/settlement-posting.ts";
import { type StoreWrite, storeKeys, underPrefix } from "../../store/store-keys.ts";
import type { StoredBatch } from "../../store/stored-batch.ts";
import type { UnpromisedPositions } from "../../store/unpromised-positions.ts";
import type { BatchRegistry } from "../batch-registry.ts";
import { closeBatch, type SourceChooser } from "../close-batch.ts";
import type { FeedPublisher } from "../feed.ts";
import type { Execution, HeadState } from "../head-state.ts";
import { PostedEpochs } from "../settling/posted-epochs.ts";
import {
  epochWrites,
  forcedEpochWrites,
  type StoredEpoch,
  type StoredPayment,
} from "../settling/stored-epochs.ts";
import {
  foreignRecordOf,
  type MalformedBatch,
  malformedBatch,
  type ReadForeignBatch,
} from "./foreign-batch.ts";
import type { ReplacedQueue } from "./queue-replacement.ts";

interface RebaseModules {
  readonly head: HeadState;
  readonly registry: BatchRegistry;
  readonly log: LedgerLog;
  readonly data: SourceChooser;
  readonly unpromised: UnpromisedPositions;
}

interface Rebased {
  readonly foreign: readonly StoredBatch[];
  /** The first of the others' that breaks the ledger's rules; it and those behind it were not applied. */
  readonly malformed: MalformedBatch | null;
  /** Own batches, closed again. */
  readonly closed: readonly StoredBatch[];
  readonly opened: { entry: OpenedEntry; sequence: number } | null;
  readonly dropped: readonly { entry: OperationEntry | SettlementEntry; error: RollupError }[];
}

export interface RebaseOptions {
  /** The last batch that stays. */
  readonly base: number;
  readonly foreign: readonly ReadForeignBatch[];
  /** All entries of the queue that are known go before anything else. */
  readonly isQueueFirst: boolean;
  /** Entries that L1's queue holds instead of the store's, where L1 took entries back; written with the rest. */
  readonly queue?: ReplacedQueue | undefined;
  /** Terms for executed operations whose batch is in no record. */
  readonly terms: Omit<BatchTerms, "timestamp">;
  readonly l1Timestamp: bigint;
  readonly nowMs: number;
}

/**
 * Rebases the ledger. The caller keeps everybody else out. After a failure memory cannot be used; the store is
 * unchanged.
 */
export async function rebaseBatches(modules: RebaseModules, options: RebaseOptions): Promise<Rebased> {
  const { head, registry, log, unpromised } = modules;
  const { base, foreign, nowMs } = options;
  await log.flushed();
  const promisedEnd = head.position.opIndex;
  const position = registry.positionAfter(base);
  const lastSequence = log.lastSequence;
  const tail: [number, LogEntry][] = [];
  for await (const entry of log.entries(position.sequence + 1, lastSequence)) tail.push(entry);
  const touched = new Set(head.openTouched);
  // Effects of others' queue entries on epochs, and on lists of operations, are in no entry of the log.
  const settledByOthers: number[] = [];
  const listedByOthers: StoreWrite[] = [];
  for (let number = base + 1; number <= registry.closedNumber; number++) {
    for (const [id] of registry.changesOf(number)) touched.add(id);
    const record = registry.record(number)!;
    if (record.isForeign !== true) continue;
    settledByOthers.push(...record.wide.map(({ b }) => b));
    const { queueHead } = registry.positionAfter(number - 1);
    listedByOthers.push(...forgetPostedQueue(record, queueHead));
  }
  const epochs = await forgetEpochs(modules, base, tail, settledByOthers);
  const deletes = [...forgetTail(tail), ...listedByOthers, ...epochs];
  const queued = new Map(
    (await log.queueEntriesFrom(position.queueHead)).map((one) => [one.queueIndex, one]),
  );
  head.rollBack(
    new Map<number, LeafState | undefined>([...touched].map((id) => [id, registry.leafAfter(base, id)])),
    position,
  );

  const writes: StoreWrite[] = [];
  const applied: [StoredBatch, LeafChanges][] = [];
  let malformed: MalformedBatch | null = null;
  for (const one of foreign) {
    const { queueHead } = head.position;
    const epochs = new PostedEpochs(head.ledger, one.data, queueHead);
    const changes = applyLawful(head, one);
    if ("reason" in changes) {
      malformed = changes;
      break;
    }
    const record = foreignRecordOf(one, { ...head.position, sequence: lastSequence }, nowMs);
    writes.push(...epochs.writes(head.ledger));
    writes.push(...postedQueueWrites(record, queueHead, (index) => queued.get(index)!));
    applied.push([record, changes]);
  }
  const bookWrites = registry.replaceAfter(base, applied);
  for (const [queueIndex, record] of options.queue ?? [])
    writes.push({ key: storeKeys.queueEntry(queueIndex), ...(record === null ? {} : { value: record }) });

  const isQueueFirst =
    malformed === null ? options.isQueueFirst : applied.some(([{ wide }]) => wide.some(isOfQueue));
  const again = await executeAgain(modules, { ...options, isQueueFirst }, tail);
  const firstMoved = again.dropped.find(({ entry }) => entry.type === "operation")?.entry as
    | OperationEntry
    | undefined;
  if (firstMoved !== undefined) again.writes.push(unpromised.add(firstMoved.opIndex, promisedEnd));
  // One turn of the event loop: one atomic write. What is deleted may be put again.
  if (tail.length > 0) log.endAt(position.sequence);
  void log.write([...deletes, ...bookWrites, ...writes]);
  await log.append(again.entries, again.writes);
  return { foreign: applied.map(([record]) => record), malformed, ...again };
}

/** Returns the leaves that such a batch changes, or the verdict on it, after which nothing has changed. */
function applyLawful(head: HeadState, one: ReadForeignBatch): LeafChanges | MalformedBatch {
  try {
    return head.applyPosted(one.data, one.settlements);
  } catch (error) {
    if (!isRollupError(error) || !/^(OP|CIR)_/.test(error.code)) throw error;
    return malformedBatch(one.source, error);
  }
}

const isOfQueue = ({ kind }: { readonly kind: number }) => kindRule(kind)?.isQueue === true;

async function executeAgain(
  { head, registry, log, data }: RebaseModules,
  options: RebaseOptions,
  tail: readonly [number, LogEntry][],
) {
  const { l1Timestamp, nowMs } = options;
  const entries: LogEntry[] = [];
  const writes: StoreWrite[] = [];
  const closed: StoredBatch[] = [];
  const dropped: { entry: OperationEntry | SettlementEntry; error: RollupError }[] = [];
  let opened: { entry: OpenedEntry; sequence: number } | null = null;
  let terms = options.terms;
  const nextSequence = () => log.lastSequence + 1 + entries.length;

  const close = async () => {
    const times = { openedAtMs: nowMs, closedAtMs: nowMs, rebuildCount: 0 };
    const facts = { ...times, firstSequence: opened!.sequence, sequence: nextSequence() };
    const batch = closeBatch({ head, registry, data }, facts);
    entries.push({ type: "closed", batchNumber: batch.record.number });
    writes.push(...batch.writes);
    closed.push(batch.record);
    opened = null;
    // A batch in a blob takes a commitment and an opening, some second of this thread. What comes meanwhile waits.
    await nextTurn();
  };
  const openFor = async (operation: Operation, posting?: SettlementPosting) => {
    const open = head.openBatch;
    if (open !== null && open.operationCount > 0) {
      const isSameFee =
        open.terms.feePerUnitWei === terms.feePerUnitWei && open.terms.feeAccountId === terms.feeAccountId;
      if (isSameFee && head.hasRoomFor(operation, posting)) return;
      await close();
    }
    const { feeAccountId, feePerUnitWei } = terms;
    head.openNext({ timestamp: head.nextTimestamp(l1Timestamp), feeAccountId, feePerUnitWei });
  };
  const note = async (entry: ExecutedEntry) => {
    const { number: batchNumber, terms: openTerms } = head.openBatch!;
    if (opened === null) {
      const entry: OpenedEntry = { type: "opened", batchNumber, openedAtMs: nowMs, ...openTerms };
      opened = { entry, sequence: nextSequence() };
      entries.push(entry);
    }
    entries.push(entry);
    if (head.isFull) await close();
  };
  const runQueueEntry = async (record: StoredQueueEntry) => {
    const operation = operationOf(record);
    await openFor(operation);
    const { opIndex, slot, trace } = head.execute(operation);
    const batchNumber = head.openBatch!.number;
    const { entry, write } = executedEntry(record, trace.record, { batchNumber, slot, opIndex });
    writes.push(write, ...forcedEpochWrites(head.ledger, trace.record, trace.b, entry));
    await note(entry);
  };

  if (options.isQueueFirst)
    for (const record of await log.queueEntriesFrom(head.position.queueHead)) await runQueueEntry(record);
  for (const [, entry] of tail) {
    if (entry.type === "opened") terms = entry;
    if (entry.type === "opened" || entry.type === "closed") continue;
    if (entry.type === "queue") {
      const { queueIndex } = entry.operation;
      const replaced = options.queue?.get(queueIndex);
      const record = replaced === undefined ? await log.queueEntry(queueIndex) : replaced;
      if (record && queueIndex >= head.position.queueHead) await runQueueEntry(record);
      continue;
    }
    await openFor(entry.operation, entry.type === "settlement" ? entry.posting : undefined);
    let execution: Execution;
    try {
      execution = head.replay(entry);
    } catch (error) {
      if (!isRollupError(error)) throw error;
      dropped.push({ entry, error });
      if (entry.type === "operation") writes.push(droppedWrite(entry, error));
      continue;
    }
    const { opIndex, slot, trace } = execution;
    const batchNumber = head.openBatch!.number;
    if (entry.type === "settlement") {
      await note({ ...entry, batchNumber, slot });
      continue;
    }
    const createdId = entry.createdId === null ? null : trace.record.b;
    writes.push(...epochWrites(head.ledger, entry.operation, trace, { hash: entry.hash, batchNumber }));
    await note({ ...entry, batchNumber, slot, opIndex, createdId, feeWei: trace.feeWei });
  }
  return { entries, writes, closed, dropped, opened: opened as Rebased["opened"] };
}

/** Writes that remove the log entries, and their indices, of operations that are executed again. */
export function forgetTail(tail: readonly [number, LogEntry][]): StoreWrite[] {
  return tail.flatMap(([sequence, entry]): StoreWrite[] => {
    const own = { key: storeKeys.log(sequence) };
    if (entry.type === "operation") {
      const leaves = leavesOf(entry).map((id) => ({ key: storeKeys.leafOperation(id, sequence) }));
      return [own, { key: storeKeys.operation(entry.hash) }, ...leaves];
    }
    if (entry.type === "queue")
      return [own, ...queueIndexWrites(entry, sequence).map(({ key }) => ({ key }))];
    if (entry.type !== "settlement") return [own];
    return [own, { key: storeKeys.settlement(entry.operation.modelId, entry.epoch) }];
  });
}

/** Removes payments and CloseEpochs after the last final batch: executing them again writes them again. */
export async function forgetEpochs(
  { log }: Pick<RebaseModules, "log">,
  base: number,
  tail: readonly [number, LogEntry][],
  others: readonly number[] = [],
): Promise<StoreWrite[]> {
  const models = new Set([
    ...others,
    // Queue entries leave a record only for a ForcedPayInference and a ForcedCloseEpoch.
    ...tail.flatMap(([, entry]) =>
      entry.type === "operation" || entry.type === "queue" ? [entry.operation.b] : [],
    ),
  ]);
  const writes: StoreWrite[] = [];
  for (const id of models) {
    const epochs = await log.keyed<StoredEpoch>(
      underPrefix(storeKeys.epoch(id, 0).slice(0, -"!000000".length)),
    );
    for (const [key, { closingBatch }] of epochs) if (closingBatch > base) writes.push({ key });
    const prefix = storeKeys.payment(id, 0, 0).slice(0, -"!000000!000000000000".length);
    const payments = await log.keyed<StoredPayment>(underPrefix(prefix));
    for (const [key, { batchNumber }] of payments) if (batchNumber > base) writes.push({ key });
  }
  return writes;
}

/** Reports a rebase in the log and, for dropped operations, in the feed. */
export function announceRebased(
  { dropped, foreign, closed }: Rebased,
  { feed, logger, metrics }: { feed: FeedPublisher; logger: Logger; metrics: Metrics },
): void {
  metrics.batches.rebuilt.inc(closed.length);
  const codes = dropped.map(({ entry, error }) => `${entry.hash} ${error.code}`);
  const foreignNumbers = foreign.map(({ number }) => number);
  logger.warn(
    { foreignNumbers, closedCount: closed.length, dropped: codes },
    "batches executed again on another base",
  );
  for (const { entry, error } of dropped) {
    const ids = entry.type === "operation" ? leavesOf(entry) : [entry.operation.modelId];
    const data = { hash: entry.hash, code: error.code };
    feed.publish("operations", "dropped", data);
    for (const id of ids) feed.publish(`leaf:${id}`, "dropped", data);
  }
}
