/** A closed batch: stated, kept for the prover and laid out for the circuit. */
import { type BatchDraft, draftOf, openDraft } from "../batch/batch-draft.ts";
import { batchInputs } from "../batch/batch-inputs.ts";
import { type BatchStatement, batchStatement } from "../blob/batch-statement.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { dataCommitment } from "../field/element-vector.ts";
import type { SealedBatch } from "./table-builder.ts";
import { absorbedElements } from "./table-data.ts";
import { withTable } from "./table-inputs.ts";
import type { TableLayout } from "./table-layout.ts";

/** C. It binds more than what is posted, so that L1's data alone does not give it. */
export const sealedCommitment = ({ batch, layout }: SealedBatch): bigint =>
  dataCommitment(absorbedElements(batch.data, layout));

/** @param versionedHash of the batch's blob, 32 bytes; null where the shape has no blob */
export function sealedStatement(
  sealed: SealedBatch,
  circuitId: bigint,
  versionedHash: bigint | null = null,
): BatchStatement {
  return batchStatement(sealed.batch.data, circuitId, sealedCommitment(sealed), versionedHash);
}

/** The circuit's inputs at challenge z. */
export const sealedInputs = ({ batch, layout }: SealedBatch, z: bigint, depth: number): CircuitInputs =>
  withTable(batchInputs(batch, z, depth), layout, batch.data);

/** What has to be kept of a closed batch until a prover asks. Plain data. */
export interface SealedDraft {
  /** Of the wide slots: all else of the batch is in the layout, which C needed already. */
  readonly draft: BatchDraft;
  readonly layout: TableLayout;
}

export const sealedDraftOf = ({ batch, layout }: SealedBatch): SealedDraft => ({
  draft: draftOf(batch),
  layout,
});

export const openSealedDraft = ({ draft, layout }: SealedDraft): SealedBatch => ({
  batch: openDraft(draft),
  layout,
});
