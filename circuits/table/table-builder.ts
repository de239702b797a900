/**
 * The open batch: executes operations one by one as they come, and puts each into the section of its kind (transfers, members,
 * wide slots). The circuit applies the sections one after the other; `table-order.ts` says why that gives the same. The
 * sequencer builds batches with it; submit-queue.ts and submit-settlement.ts of the verifier do so without a sequencer.
 */
import { type BatchOpening, type ClosedBatch, creditFees, type SourcedTrace } from "../batch/batch.ts";
import type { SlotRecord } from "../batch/batch-data.ts";
import { type BatchDraft, draftOf, movedTraces, openDraft } from "../batch/batch-draft.ts";
import { batchInputs } from "../batch/batch-inputs.ts";
import { executeInTable, executeSlot, nullSlot } from "../batch/slot.ts";
import type { Operation, SlotTrace, TreelessTrace } from "../batch/slot-trace.ts";
import { type BatchStatement, batchStatement } from "../blob/batch-statement.ts";
import { circuitError } from "../circuit-errors.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { dataCommitment } from "../field/element-vector.ts";
import { unpackCounters } from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type LeafNode, LedgerTree, type TreeVersion } from "../ledger/ledger-tree.ts";
import type { SignedOperation } from "../ledger/operation.ts";
import { type DataSource, KIND, kindRule } from "../protocol.ts";
import { absorbedElements } from "./table-data.ts";
import { withTable } from "./table-inputs.ts";
import {
  layOutTable,
  openLayout,
  type StoredLayout,
  storedLayout,
  type TableLayout,
} from "./table-layout.ts";
import { WideLeaves } from "./table-order.ts";
import {
  fitsTable,
  postedShape,
  requireTableShape,
  type TableShape,
  tableIn,
  tableShapeOf,
  windowSize,
} from "./table-shape.ts";

/**
 * Operations in a table, by section. Every operation of the members' section counts as a payment: each has a
 * payload.
 */
export interface TableCounts {
  readonly transfers: number;
  readonly payments: number;
}

/** A closed batch, in the form that the prover stores and that the circuit's layout needs. */
export interface ClosedTableBatch {
  /** Posted batch. Its narrow slots are both sections, the first one padded. */
  readonly batch: ClosedBatch;
  readonly layout: TableLayout;
}

const NULL_RECORD: SlotRecord = { kind: KIND.null, a: 0, b: 0, amountCode: 0n, isValid: false, words: [] };

type Section = "transfers" | "members" | "wide";

export class TableBuilder {
  readonly shape: TableShape;
  readonly #opening: Omit<BatchOpening, "shape">;
  readonly #ledger: Ledger;
  readonly #before: TreeVersion;
  readonly #sections = {
    transfers: [] as TreelessTrace[],
    members: [] as TreelessTrace[],
    wide: [] as SlotTrace[],
  };
  /** The leaves that the table touches, as its last slot so far left them: those that it has changed. */
  readonly #rows = new Map<number, LeafNode | null>();
  readonly #unitIds = new Set<number>();
  readonly #wideLeaves = new WideLeaves();

  /** @throws CIR_COMPOSITION_INVALID; OP_UNKNOWN_LEAF if the fee account does not exist */
  constructor(ledger: Ledger, { shape, ...opening }: BatchOpening) {
    this.shape = tableShapeOf(shape);
    requireTableShape(this.shape, ledger.tree.depth);
    ledger.requireLeaf(opening.feeAccountId);
    this.#ledger = ledger;
    this.#opening = opening;
    this.#before = ledger.tree.version;
  }

  get #traces(): TreelessTrace[] {
    return Object.values(this.#sections).flat();
  }

  get operationCount(): number {
    return Object.values(this.#sections).reduce((sum, { length }) => sum + length, 0);
  }

  get tableCounts(): TableCounts {
    const { transfers, members } = this.#sections;
    return { transfers: transfers.length, payments: members.length };
  }

  get signedCount(): number {
    return this.#traces.filter(({ record }) => kindRule(record.kind)?.isSigned).length;
  }

  /** True if no further operation fits. */
  get isFull(): boolean {
    const { transfers, members } = this.#sections;
    const { shape } = this;
    return !this.hasWideRoom && transfers.length + members.length >= shape.transfers + shape.members;
  }

  /** True if a wide slot is free, so that every executable operation fits. */
  get hasWideRoom(): boolean {
    return this.#sections.wide.length < this.shape.wide;
  }

  /**
   * Section of an operation: the one of its kind if that has a free slot, the table has room for the
   * operation's leaves, and no wide slot so far names one of them; else a wide slot. null if none is free.
   */
  #sectionOf(operation: Operation): Section | null {
    const rule = kindRule(operation.kind);
    if (rule?.isNarrow && "amountCode" in operation && this.#wideLeaves.commutesWith(operation)) {
      const section = operation.kind === KIND.transfer ? "transfers" : "members";
      const ids = [operation.a, operation.b];
      const fits = (known: Pick<Set<number>, "has" | "size">, added: readonly number[], limit: number) =>
        known.size + new Set(added.filter((id) => !known.has(id))).size <= limit;
      const hasRoom =
        this.#sections[section].length < this.shape[section] &&
        fits(this.#rows, ids, this.shape.rows) &&
        (section === "transfers" || fits(this.#unitIds, [operation.b], this.shape.units)) &&
        ids.every((id) => id < windowSize(this.shape)) &&
        fitsTable(operation, {
          priceWei: section === "transfers" ? 0n : this.#priceWei(operation.b),
          isBlob: this.shape.isBlob === true,
        });
      if (hasRoom) return section;
    }
    return this.hasWideRoom ? "wide" : null;
  }

  #priceWei(id: number): bigint {
    return unpackCounters(this.#ledger.opened(id).leaf.counters).priceWei;
  }

  hasRoomFor(operation: Operation): boolean {
    return this.#sectionOf(operation) !== null;
  }

  /** @throws OP_* and leaves everything as it was; CIR_BATCH_FULL if `hasRoomFor` says no */
  add(operation: Operation): SourcedTrace {
    const section = this.#sectionOf(operation);
    if (section === null)
      throw circuitError("CIR_BATCH_FULL", `the batch has no place left for kind ${operation.kind}`, {
        data: { kind: operation.kind },
      });
    const { members, transfers } = this.shape;
    if (section === "wide") {
      const trace = executeSlot(this.#ledger, operation, this.#opening);
      this.#wideLeaves.add(trace.record);
      return { trace, slot: transfers + members + this.#sections.wide.push(trace) - 1 };
    }
    const trace = executeInTable(this.#ledger, operation as SignedOperation, this.#opening);
    const { a, b } = trace.record;
    for (const id of [a, b]) this.#rows.set(id, this.#ledger.tree.changedNode(id));
    if (section === "members") this.#unitIds.add(b);
    const start = section === "members" ? transfers : 0;
    return { trace, slot: start + this.#sections[section].push(trace) - 1 };
  }

  /**
   * Fills the empty slots, credits the fees and closes the batch.
   * @param place of the table's slots. Default: the position for which the batch was opened; a batch that was
   * opened for a blob fits both
   */
  close(source: DataSource = this.shape.isBlob === true ? "blob" : "calldata"): ClosedTableBatch {
    const shape = tableIn(this.shape, source);
    const { transfers, members } = this.#sections;
    const { signedCount } = this;
    const tree = LedgerTree.ofVersion(this.#before);
    for (const [id, leaf] of this.#rows) if (leaf !== null) tree.putNode(id, leaf);
    const after = tree.version;
    const wide = movedTraces(this.#sections.wide, tree);
    const layout = layOutTable(shape, {
      transfers,
      members,
      before: this.#before,
      after,
      feePerUnitWei: this.#opening.feePerUnitWei,
    });
    const used = wide.length;
    const filler = nullSlot(this.#ledger);
    const padded = [...wide, ...Array<SlotTrace>(shape.wide - used).fill(filler)];
    const totalWei = [...transfers, ...members, ...wide].reduce((sum, { feeWei }) => sum + feeWei, 0n);
    const fee = creditFees(this.#ledger, this.#opening.feeAccountId, totalWei);
    const records = (traces: readonly TreelessTrace[]) => traces.map(({ record }) => record);
    const gap = members.length === 0 ? 0 : shape.transfers - transfers.length;
    const data = {
      ...this.#opening,
      shape: postedShape(shape),
      newRoot: this.#ledger.root,
      newNextId: this.#ledger.nextId,
      signedCount,
      narrow: [...records(transfers), ...Array<SlotRecord>(gap).fill(NULL_RECORD), ...records(members)],
      wide: records(wide),
    };
    return { batch: { data, wide: padded, fee }, layout };
  }
}

// A closed batch: its statement, its stored form for the prover, and its layout for the circuit.

/** Commitment C. It binds more than the posted data, so L1's data alone does not determine it. */
export const closedCommitment = ({ batch, layout }: ClosedTableBatch): bigint =>
  dataCommitment(absorbedElements(batch.data, layout));

/** @param versionedHash of the batch's blob, 32 bytes; null if the shape has no blob */
export function closedStatement(
  closed: ClosedTableBatch,
  circuitId: bigint,
  versionedHash: bigint | null = null,
): BatchStatement {
  return batchStatement(closed.batch.data, circuitId, closedCommitment(closed), versionedHash);
}

/** The circuit's inputs at challenge z. */
export const closedInputs = ({ batch, layout }: ClosedTableBatch, z: bigint, depth: number): CircuitInputs =>
  withTable(batchInputs(batch, z, depth), layout, batch.data);

/** Stored data of a closed batch until it is proven. Plain data. */
export interface ClosedDraft {
  /** Draft of the wide slots. All else of the batch is in the layout, which C needed already. */
  readonly draft: BatchDraft;
  readonly layout: StoredLayout;
}

export const closedDraftOf = ({ batch, layout }: ClosedTableBatch): ClosedDraft => ({
  draft: draftOf(batch),
  layout: storedLayout(layout),
});

export const openClosedDraft = ({ draft, layout }: ClosedDraft): ClosedTableBatch => ({
  batch: openDraft(draft),
  layout: openLayout(layout),
});
