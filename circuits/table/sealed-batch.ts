/** Batches of any shape, with a leaf table or without: opened, closed, kept for the prover and laid out for the circuit. */
import { BatchBuilder, type BatchOpening, type ClosedBatch, type PlacedTrace } from "../batch/batch.ts";
import { committedElements } from "../batch/batch-data.ts";
import { type BatchDraft, draftOf, openDraft } from "../batch/batch-draft.ts";
import { batchInputs } from "../batch/batch-inputs.ts";
import type { Operation } from "../batch/slot-trace.ts";
import { type BatchStatement, batchStatement } from "../blob/batch-statement.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { dataCommitment } from "../field/element-vector.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { DataPlace } from "../protocol.ts";
import { closedTableInputs, TableBuilder, type TableCounts } from "./table-builder.ts";
import { absorbedElements } from "./table-data.ts";
import type { TableLayout } from "./table-layout.ts";
import { tableShapeOf } from "./table-shape.ts";

export interface SealedBatch {
  readonly batch: ClosedBatch;
  /** null where the shape has no table. */
  readonly layout: TableLayout | null;
}

/** An open batch: operations are executed in order as they are added. */
export interface OpenBatch {
  readonly operationCount: number;
  /** Whatever comes next has no place. */
  readonly isFull: boolean;
  /** Whether every operation that may be executed has a place. */
  readonly hasWideRoom: boolean;
  /** Operations in the table's sections so far; none without a table. */
  readonly tableCounts: TableCounts;
  hasRoomFor(operation: Operation): boolean;
  /** @throws OP_* and leaves everything as it was; CIR_BATCH_FULL where `hasRoomFor` says no */
  add(operation: Operation): PlacedTrace;
  /** @param place of the table's slots, as it was opened where absent; a batch that was opened for a blob fits both */
  close(place?: DataPlace): SealedBatch;
}

/** @throws OP_UNKNOWN_LEAF where the fee account does not exist; CIR_COMPOSITION_INVALID for a table that no circuit has */
export function openBatch(ledger: Ledger, opening: BatchOpening): OpenBatch {
  const table = tableShapeOf(opening.shape);
  if (table !== null) return new TableBuilder(ledger, table, opening);
  const builder = new BatchBuilder(ledger, opening);
  return {
    get operationCount() {
      return builder.operationCount;
    },
    get isFull() {
      return builder.isFull;
    },
    get hasWideRoom() {
      return !builder.isFull;
    },
    tableCounts: { transfers: 0, payments: 0 },
    hasRoomFor: ({ kind }) => builder.hasRoomFor(kind),
    add: (operation) => builder.add(operation),
    close: () => ({ batch: builder.close(), layout: null }),
  };
}

/** C. With a table it binds more than what is posted, so that L1's data alone does not give it. */
export function sealedCommitment({ batch, layout }: SealedBatch): bigint {
  const { data } = batch;
  return dataCommitment(layout === null ? committedElements(data) : absorbedElements(data, layout));
}

/** @param versionedHash of the batch's blob, 32 bytes; null where the shape has no blob */
export function sealedStatement(
  sealed: SealedBatch,
  circuitId: bigint,
  versionedHash: bigint | null = null,
): BatchStatement {
  return batchStatement(sealed.batch.data, circuitId, sealedCommitment(sealed), versionedHash);
}

/** The circuit's inputs at challenge z. */
export function sealedInputs({ batch, layout }: SealedBatch, z: bigint, depth: number): CircuitInputs {
  return layout === null ? batchInputs(batch, z, depth) : closedTableInputs({ batch, layout }, z, depth);
}

/** What has to be kept of a closed batch until a prover asks. Plain data. */
export interface SealedDraft {
  /** With a table its wide slots alone: all else of it is in the layout, which C needed already. */
  readonly draft: BatchDraft;
  readonly layout: TableLayout | null;
}

export function sealedDraftOf({ batch, layout }: SealedBatch): SealedDraft {
  return { draft: draftOf(layout === null ? batch : { ...batch, narrow: [] }), layout };
}

export function openSealedDraft({ draft, layout }: SealedDraft): SealedBatch {
  return { batch: openDraft(draft), layout };
}
