/**
 * Holds the batches between closed and final in memory, and the ledger after each of them; batch-pipeline.ts owns it.
 *
 * The stored snapshot is the ledger after the last *final* batch, never after a posted one: a posted batch may
 * still be taken back by an L1 reorganisation, and must then be rebuilt from the state before it. Until a batch is
 * final, the leaves that it changed are stored beside it; so the ledger after any of these batches can be looked up,
 * and becoming final means writing those leaves over the snapshot, and over the ledger's flat base in memory.
 *
 * Methods change memory at once and return the writes that make it durable.
 */

import type { LeafState } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { ClosedDraft } from "@openledger/circuits/table/table-builder";
import { sequencerError } from "../sequencer-errors.ts";
import { leafWrite } from "../store/leaf-value.ts";
import type { LeafChanges, LedgerLog } from "../store/ledger-log.ts";
import type { ChainPosition } from "../store/log-entry.ts";
import { type StoreWrite, storeKeys } from "../store/store-keys.ts";
import {
  type BatchStatus,
  type L1Inclusion,
  type ProofReport,
  type StoredBatch,
  statusRank,
} from "../store/stored-batch.ts";

/** Maximum seconds between a batch's timestamp and its block's on L1: Rollup.TIMESTAMP_WINDOW. */
const L1_TIMESTAMP_WINDOW_SECONDS = 3_600;
/**
 * Seconds past the window after which no block can take a submitted batch any more, whatever reorganisation there is.
 * Guess.
 */
const SUBMITTED_GRACE_SECONDS = 300;

export interface L1Report {
  readonly batchHash: string;
  readonly status: "submitted" | "posted" | "final" | "dropped";
  readonly inclusion: L1Inclusion;
}

export class BatchRegistry {
  #final: ChainPosition;
  readonly #ledger: Ledger;
  /** Records by number, ascending and without gaps: final + 1 … closed. */
  readonly #records = new Map<number, StoredBatch>();
  readonly #changes = new Map<number, LeafChanges>();
  /** The same by the leaf: a list of leaves asks for a hundred at a time, in each batch that is not final. */
  readonly #changedLeaves = new Map<number, ReadonlyMap<number, LeafState>>();
  /** Number of records without a proof. Cached: every operation reads it, and there may be thousands of records. */
  #unprovenCount = 0;

  /** @param ledger of the head; the last final batch is folded into it */
  constructor(final: ChainPosition, ledger: Ledger) {
    this.#final = final;
    this.#ledger = ledger;
  }

  get finalNumber(): number {
    return this.#final.batchNumber;
  }

  get closedNumber(): number {
    return this.#final.batchNumber + this.#records.size;
  }

  /** The last batch up to which all have reached a status. */
  reached(status: BatchStatus): number {
    let number = this.#final.batchNumber;
    for (const record of this.#records.values()) {
      if (statusRank(record.status) < statusRank(status)) break;
      number = record.number;
    }
    return number;
  }

  /** A batch that is not final. */
  record(batchNumber: number): StoredBatch | undefined {
    return this.#records.get(batchNumber);
  }

  changesOf(batchNumber: number): LeafChanges {
    return this.#changes.get(batchNumber) ?? [];
  }

  /** A leaf as it was after a batch, final or not. */
  leafAfter(batchNumber: number, id: number): LeafState | undefined {
    for (let number = batchNumber; number > this.#final.batchNumber; number--) {
      const found = this.#changedLeaves.get(number)?.get(id);
      if (found !== undefined) return found;
    }
    return this.#ledger.foldedLeaf(id);
  }

  positionAfter(batchNumber: number): ChainPosition {
    return batchNumber === this.#final.batchNumber ? this.#final : this.#records.get(batchNumber)!.position;
  }

  /** Takes in a batch as the store holds it. */
  load(record: StoredBatch, changes: LeafChanges): void {
    this.#keep(record);
    this.#changes.set(record.number, changes);
    this.#changedLeaves.set(record.number, new Map(changes.map(([id, leaf]) => [id, leaf])));
  }

  #keep(record: StoredBatch): void {
    this.#noteGone(record.number);
    this.#records.set(record.number, record);
    if (record.status === "closed") this.#unprovenCount += 1;
  }

  #forget(batchNumber: number): void {
    this.#noteGone(batchNumber);
    this.#records.delete(batchNumber);
    this.#changes.delete(batchNumber);
    this.#changedLeaves.delete(batchNumber);
  }

  #noteGone(batchNumber: number): void {
    if (this.#records.get(batchNumber)?.status === "closed") this.#unprovenCount -= 1;
  }

  /** Registers a closed batch, for the first time or again; earlier records of its number are forgotten. */
  add(record: StoredBatch, changes: LeafChanges, draft: ClosedDraft): StoreWrite[] {
    this.load(record, changes);
    return [
      { key: storeKeys.batch(record.number), value: record },
      { key: storeKeys.changes(record.number), value: changes },
      { key: storeKeys.draft(record.number), value: draft },
    ];
  }

  /** Batches without a proof, in order. */
  unproven(): StoredBatch[] {
    return [...this.#records.values()].filter(({ status }) => status === "closed");
  }

  get unprovenCount(): number {
    return this.#unprovenCount;
  }

  /** The batches that L1 can take next: consecutive, proven, not posted. */
  ready(limit: number): StoredBatch[] {
    const ready: StoredBatch[] = [];
    for (let number = this.reached("posted") + 1; ready.length < limit; number++) {
      const record = this.#records.get(number);
      if (record === undefined || record.proof === null) break;
      ready.push(record);
    }
    return ready;
  }

  /** @throws SEQ_UNKNOWN, SEQ_BATCH_CONFLICT */
  require(batchNumber: number, batchHash: string): StoredBatch {
    const record = this.#records.get(batchNumber);
    if (record === undefined) throw unknownBatch(batchNumber);
    if (record.batchHash !== batchHash.toLowerCase()) throw batchReplaced(record, batchHash);
    return record;
  }

  /** @throws SEQ_UNKNOWN, SEQ_BATCH_CONFLICT, SEQ_PROOF_INVALID */
  addProof(
    batchNumber: number,
    batchHash: string,
    publicSignals: readonly bigint[],
    report: ProofReport,
  ): StoreWrite[] {
    const record = this.require(batchNumber, batchHash);
    const isAsLong = publicSignals.length === record.publicSignals.length;
    if (!isAsLong || record.publicSignals.some((signal, i) => signal !== publicSignals[i])) {
      throw sequencerError(
        "SEQ_PROOF_INVALID",
        `the public signals are not C, y, z of batch ${batchNumber}`,
        {
          data: {
            reason: "proof-mismatch",
            batchNumber,
            expected: record.publicSignals.map(String),
            actual: publicSignals.map(String),
          },
        },
      );
    }
    if (record.proof !== null) return [];
    return this.#update({
      ...record,
      proof: report,
      status: record.status === "closed" ? "proven" : record.status,
    });
  }

  /**
   * Applies a report of L1's state of a batch. Reports may repeat and may skip stages, but no batch passes an earlier
   * one.
   * @throws SEQ_UNKNOWN, SEQ_BATCH_CONFLICT
   */
  report(
    batchNumber: number,
    report: L1Report,
    nowMs: number,
  ): { writes: StoreWrite[]; changed: StoredBatch[] } {
    const record = this.require(batchNumber, report.batchHash);
    if (report.status === "dropped") return this.#drop(batchNumber);
    const previous = this.#records.get(batchNumber - 1)?.status ?? "final";
    const isProofMissing = report.status === "submitted" && record.proof === null;
    if (statusRank(previous) < statusRank(report.status) || isProofMissing) {
      throw sequencerError(
        "SEQ_BATCH_CONFLICT",
        isProofMissing
          ? `batch ${batchNumber} has no proof`
          : `batch ${batchNumber} cannot be ${report.status} while batch ${batchNumber - 1} is ${previous}`,
        {
          data: {
            reason: "batch-out-of-order",
            batchNumber,
            status: report.status,
            previousStatus: previous,
          },
        },
      );
    }
    // A late report of an earlier stage.
    if (statusRank(report.status) < statusRank(record.status)) return { writes: [], changed: [] };
    const { blockNumber, gasPriceWei, gasUsed, transactionHash } = report.inclusion;
    const updated: StoredBatch = {
      ...record,
      status: report.status,
      l1: {
        transactionHash,
        blockNumber: blockNumber ?? record.l1?.blockNumber ?? null,
        gasUsed: gasUsed ?? record.l1?.gasUsed ?? null,
        gasPriceWei: gasPriceWei ?? record.l1?.gasPriceWei ?? null,
      },
      postedAtMs: record.postedAtMs ?? (report.status === "submitted" ? null : nowMs),
    };
    const writes = report.status === "final" ? this.#finalise(updated) : this.#update(updated);
    return { writes, changed: record.status === report.status ? [] : [updated] };
  }

  /** The first batch of somebody else from a number on, or null; final ones do not count. */
  firstForeign(fromNumber: number): number | null {
    const records = [...this.#records.values()];
    return (
      records.find(({ isForeign, number }) => isForeign === true && number >= fromNumber)?.number ?? null
    );
  }

  /**
   * Takes a batch and all later ones back to before their submission. Those of others stay as they are: only executing
   * again without them undoes them.
   */
  #drop(batchNumber: number): { writes: StoreWrite[]; changed: StoredBatch[] } {
    const changed = [...this.#records.values()]
      .filter(
        ({ isForeign, number, status }) =>
          isForeign !== true && number >= batchNumber && statusRank(status) >= statusRank("submitted"),
      )
      .map(
        (record): StoredBatch => ({
          ...record,
          status: record.proof === null ? "closed" : "proven",
          l1: null,
          postedAtMs: null,
        }),
      );
    return { writes: changed.flatMap((record) => this.#update(record)), changed };
  }

  #update(record: StoredBatch): StoreWrite[] {
    this.#keep(record);
    return [{ key: storeKeys.batch(record.number), value: record }];
  }

  #finalise(record: StoredBatch): StoreWrite[] {
    const changes = this.changesOf(record.number);
    this.#ledger.fold(changes);
    this.#final = record.position;
    this.#forget(record.number);
    return [
      ...changes.map(([id, leaf, hash]) => leafWrite(id, leaf, hash)),
      { key: storeKeys.finalPosition, value: record.position },
      { key: storeKeys.batch(record.number), value: record },
      { key: storeKeys.changes(record.number) },
      { key: storeKeys.draft(record.number) },
    ];
  }

  /**
   * Forgets the batches behind `base`; those of somebody else may take their place, final ones behind the final one.
   */
  replaceAfter(
    base: number,
    foreign: readonly (readonly [record: StoredBatch, changes: LeafChanges])[],
  ): StoreWrite[] {
    const writes: StoreWrite[] = [];
    for (const number of [...this.#records.keys()].filter((known) => known > base)) {
      for (const key of [storeKeys.batch(number), storeKeys.changes(number), storeKeys.draft(number)])
        writes.push({ key });
      this.#forget(number);
    }
    for (const [record, changes] of foreign) {
      this.load(record, changes);
      if (record.status === "final") writes.push(...this.#finalise(record));
      else
        writes.push(
          { key: storeKeys.batch(record.number), value: record },
          { key: storeKeys.changes(record.number), value: changes },
        );
    }
    return writes;
  }

  /**
   * The first batch that L1 would no longer take, or takes only if all goes well: its timestamp is older than the
   * window less a margin. A submitted one counts only once no block can take it, or it could be posted and
   * rebuilt both.
   * @param openTimestamp the open batch's, which comes last
   */
  firstStale(l1Timestamp: number, marginSeconds: number, openTimestamp: number): number | null {
    for (const { number, status, timestamp } of this.#records.values()) {
      if (statusRank(status) >= statusRank("posted")) continue;
      const allowed =
        L1_TIMESTAMP_WINDOW_SECONDS + (status === "submitted" ? SUBMITTED_GRACE_SECONDS : -marginSeconds);
      if (l1Timestamp - timestamp > allowed) return number;
    }
    const isOpenStale = l1Timestamp - openTimestamp > L1_TIMESTAMP_WINDOW_SECONDS - marginSeconds;
    return isOpenStale ? this.closedNumber + 1 : null;
  }
}

/**
 * Compares a final batch's hash with the store's. Compares nothing where the batch is pruned.
 * @throws SEQ_UNKNOWN, SEQ_BATCH_CONFLICT where the store has no such final batch
 */
export async function requireFinal(log: LedgerLog, batchNumber: number, batchHash: string): Promise<void> {
  if (batchNumber <= (log.prunedTo?.batchNumber ?? 0)) return;
  const record = await log.batch(batchNumber);
  if (record === undefined) throw unknownBatch(batchNumber);
  if (record.batchHash !== batchHash.toLowerCase()) throw batchReplaced(record, batchHash);
}

export function unknownBatch(batchNumber: number): Error {
  return sequencerError("SEQ_UNKNOWN", `there is no batch ${batchNumber}`, {
    data: { reason: "batch", batchNumber },
  });
}

function batchReplaced(record: Pick<StoredBatch, "number" | "batchHash">, batchHash: string): Error {
  return sequencerError("SEQ_BATCH_CONFLICT", `batch ${record.number} is ${record.batchHash} by now`, {
    data: {
      reason: "batch-replaced",
      batchNumber: record.number,
      batchHash: record.batchHash,
      requestedHash: batchHash,
    },
  });
}
