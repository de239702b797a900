/**
 * Closes the open batch: makes its data, chooses blob or calldata for it, and makes its record in the registry.
 * batch-pipeline.ts closes with it, and so do rebuilds, rebases and full nodes.
 */
import { stateBatchNow } from "@openledger/circuits/blob/blob-opening";
import { type DataSource, isBlobShape } from "@openledger/circuits/protocol";
import type { TableCounts } from "@openledger/circuits/table/table-builder";
import { closedCommitment, closedDraftOf } from "@openledger/circuits/table/table-builder";
import type { StoreWrite } from "../store/store-keys.ts";
import { recordOf, type StoredBatch } from "../store/stored-batch.ts";
import type { BatchRegistry } from "./batch-registry.ts";
import type { HeadState } from "./head-state.ts";

/** Place of a batch's narrow slots, and the circuit that proves the batch there. */
export interface ClosingSource {
  readonly place: DataSource;
  readonly circuitId: bigint;
}

/** Chooses the place when a batch is closed, by the content of its table. */
export interface SourceChooser {
  choose(counts: TableCounts): ClosingSource;
}

/**
 * Closes the head's open batch and enters it in the registry; the writes belong beside its log entry.
 * @throws RangeError where the batch has a blob, and `preloadKzg` was not awaited
 */
export function closeBatch(
  modules: { head: HeadState; registry: BatchRegistry; data: SourceChooser },
  facts: {
    openedAtMs: number;
    closedAtMs: number;
    firstSequence: number;
    sequence: number;
    rebuildCount: number;
  },
): { record: StoredBatch; writes: StoreWrite[] } {
  const { head, registry, data: chooser } = modules;
  const { sequence, ...rest } = facts;
  const { circuitId, place } = chooser.choose(head.tableCounts);
  const { closed, changes, settlements } = head.close(place);
  const { data } = closed.batch;
  const commitment = closedCommitment(closed);
  // The posted bytes include the blob's opening, and its commitment determines z.
  const posted = isBlobShape(data.shape) ? { posted: stateBatchNow(data, circuitId, commitment) } : {};
  const record = recordOf(closed.batch, {
    ...rest,
    ...posted,
    commitment,
    settlements,
    circuitId,
    position: { ...head.position, sequence },
  });
  // The circuit's inputs are laid out when a prover asks for them: most of their hashes serve nobody else.
  return { record, writes: registry.add(record, changes, closedDraftOf(closed)) };
}
