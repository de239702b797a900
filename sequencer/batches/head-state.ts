/**
 * The newest state in memory: the ledger after everything that was executed, with the batch that is being filled.
 * batch-pipeline.ts executes on it.
 */
import { replayBatch, type SourcedTrace } from "@openledger/circuits/batch/batch";
import type { BatchData } from "@openledger/circuits/batch/batch-data";
import type { ReplayedSettlement } from "@openledger/circuits/batch/settlement-operation";
import type { Operation } from "@openledger/circuits/batch/slot-trace";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { TreeVersion } from "@openledger/circuits/ledger/ledger-tree";
import { type BatchShape, type DataSource, kindRule } from "@openledger/circuits/protocol";
import {
  type ClosedTableBatch,
  TableBuilder,
  type TableCounts,
} from "@openledger/circuits/table/table-builder";
import type { LeafChanges } from "../store/ledger-log.ts";
import type { BatchTerms, ChainPosition, ExecutedEntry } from "../store/log-entry.ts";
import { fitTogether, type SettlementPosting } from "../store/settlement-posting.ts";

/** Rules that the deployment fixes for all batches. */
export interface ChainRules {
  readonly domain: bigint;
  readonly idFeeWei: bigint;
  /** Shape with which own batches are opened (`openingShape`). */
  readonly shape: BatchShape;
}

export interface Execution extends SourcedTrace {
  /** Number of signed operations before it; of a signed operation its place. */
  readonly opIndex: number;
}

type HeadPosition = Omit<ChainPosition, "sequence">;

interface OpenBatch {
  readonly builder: TableBuilder;
  readonly terms: BatchTerms;
  readonly touched: Set<number>;
  readonly settlements: SettlementPosting[];
}

export class HeadState {
  readonly ledger: Ledger;
  readonly rules: ChainRules;
  #open: OpenBatch | null = null;
  #batchNumber: number;
  #opIndex: number;
  #queueHead: number;
  #timestamp: bigint;

  /** @param position the ledger's; no batch is open */
  constructor(ledger: Ledger, rules: ChainRules, position: HeadPosition) {
    this.ledger = ledger;
    this.rules = rules;
    this.#batchNumber = position.batchNumber;
    this.#opIndex = position.opIndex;
    this.#queueHead = position.queueHead;
    this.#timestamp = position.timestamp;
  }

  /** Operations executed so far; batchNumber is the last closed batch's. */
  get position(): HeadPosition {
    const { version } = this.ledger.tree;
    return {
      batchNumber: this.#batchNumber,
      // Hashes the changes, so only readers pay for it.
      get root() {
        return version.root;
      },
      nextId: this.ledger.nextId,
      opIndex: this.#opIndex,
      queueHead: this.#queueHead,
      timestamp: this.#timestamp,
    };
  }

  /** The open batch's number and terms, or null. */
  get openBatch(): { number: number; terms: BatchTerms; operationCount: number } | null {
    if (this.#open === null) return null;
    return {
      number: this.#batchNumber + 1,
      terms: this.#open.terms,
      operationCount: this.#open.builder.operationCount,
    };
  }

  get isFull(): boolean {
    return this.#open?.builder.isFull === true;
  }

  /** True if the open batch has a place for every operation that may be executed. */
  get hasWideRoom(): boolean {
    return this.#open?.builder.hasWideRoom !== false;
  }

  /** Operations in the table's sections of the open batch. */
  get tableCounts(): TableCounts {
    return this.#open!.builder.tableCounts;
  }

  /** Leaves that the open batch has touched. */
  get openTouched(): ReadonlySet<number> {
    return this.#open?.touched ?? new Set();
  }

  /** @param posting as of `execute`: L1's data beside one batch is bounded, too */
  hasRoomFor(operation: Operation, posting?: SettlementPosting): boolean {
    const open = this.#open;
    if (open?.builder.hasRoomFor(operation) !== true) return false;
    return posting === undefined || fitTogether([...open.settlements, posting]);
  }

  /** The timestamp of a batch that is opened now: L1's, but never before the last batch's. */
  nextTimestamp(l1Timestamp: bigint): bigint {
    if (l1Timestamp < this.#timestamp) return this.#timestamp;
    return l1Timestamp;
  }

  /** Opens the next batch; one that holds nothing yet is forgotten. */
  openNext(terms: BatchTerms): void {
    const { domain, idFeeWei, shape } = this.rules;
    const builder = new TableBuilder(this.ledger, {
      ...terms,
      shape,
      domain,
      idFeeWei,
      oldRoot: this.ledger.root,
      batchNumber: BigInt(this.#batchNumber + 1),
      firstOpIndex: BigInt(this.#opIndex),
      oldNextId: this.ledger.nextId,
    });
    this.#open = { builder, terms, touched: new Set(), settlements: [] };
  }

  /** Executes the operation of a log entry once more. @throws OP_* and changes nothing */
  replay(entry: Pick<ExecutedEntry, "operation"> & { posting?: SettlementPosting }): Execution {
    return this.execute(entry.operation, entry.posting);
  }

  /**
   * Executes in the open batch.
   * @param posting what L1 gets beside the batch; there for settlements, and only for them
   * @throws OP_* and changes nothing
   */
  execute(operation: Operation, posting?: SettlementPosting): Execution {
    const open = this.#open!;
    const { slot, trace } = open.builder.add(operation);
    const rule = kindRule(operation.kind)!;
    open.touched.add(trace.record.a).add(trace.record.b);
    if (posting !== undefined) open.settlements.push(posting);
    const opIndex = this.#opIndex;
    if (rule.isSigned) this.#opIndex += 1;
    if (rule.isQueue) this.#queueHead += 1;
    return { trace, slot, opIndex };
  }

  /** Closes the open batch. @param place of its narrow slots */
  close(source: DataSource): {
    closed: ClosedTableBatch;
    changes: LeafChanges;
    settlements: readonly SettlementPosting[];
  } {
    const { builder, settlements, touched, terms } = this.#open!;
    const closed = builder.close(source);
    touched.add(terms.feeAccountId);
    this.#open = null;
    this.#batchNumber += 1;
    this.#timestamp = terms.timestamp;
    return { closed, changes: this.#leavesNow(touched), settlements };
  }

  /**
   * Applies what a closed batch changed, without executing it again.
   * @returns the ledger's tree behind the batch, not hashed yet
   */
  applyClosed(changes: LeafChanges, position: HeadPosition): TreeVersion {
    for (const [id, record] of changes) this.ledger.put(id, record);
    this.#moveTo(position);
    return this.ledger.tree.version;
  }

  /**
   * Applies a batch that L1 took from somebody else; no batch is open.
   * @returns the leaves that it touched, as it left them
   * @throws as replayBatch does, and changes nothing
   */
  applyPosted(data: BatchData, settlements: readonly ReplayedSettlement[]): LeafChanges {
    const records = [...data.narrow, ...data.wide];
    const { position } = this;
    const named = [data.feeAccountId, ...records.flatMap(({ a, b }) => [a, b])];
    const before = new Map(named.map((id) => [id, this.ledger.leaf(id)]));
    try {
      replayBatch(this.ledger, data, settlements);
    } catch (error) {
      // The ledger gives a new leaf its id, whatever the record says.
      for (let id = position.nextId; id < this.ledger.nextId; id++) before.set(id, undefined);
      this.rollBack(before, position);
      throw error;
    }
    this.#batchNumber = Number(data.batchNumber);
    this.#opIndex += data.signedCount;
    this.#queueHead += records.filter(({ kind }) => kindRule(kind)?.isQueue).length;
    this.#timestamp = data.timestamp;
    return this.#leavesNow(new Set([data.feeAccountId, ...records.flatMap(({ a, b }) => [a, b])]));
  }

  /** Existing ones of these leaves, with their hashes: a root was just taken, so the hashes are there. */
  #leavesNow(ids: Iterable<number>): LeafChanges {
    const { version } = this.ledger.tree;
    return [...ids].flatMap((id) => {
      const record = this.ledger.leaf(id);
      return record === undefined ? [] : [[id, record, version.leafHash(id)] as const];
    });
  }

  /** Goes back: sets these leaves to their state at `position`, undefined for those that did not exist. */
  rollBack(leaves: ReadonlyMap<number, LeafState | undefined>, position: HeadPosition): void {
    for (const [id, record] of leaves) {
      if (record !== undefined) {
        this.ledger.put(id, record);
      } else if (this.ledger.leaf(id) !== undefined) {
        this.ledger.remove(id);
      }
    }
    this.#moveTo(position);
  }

  #moveTo(position: HeadPosition): void {
    this.#open = null;
    this.ledger.nextId = position.nextId;
    this.#batchNumber = position.batchNumber;
    this.#opIndex = position.opIndex;
    this.#queueHead = position.queueHead;
    this.#timestamp = position.timestamp;
  }
}
