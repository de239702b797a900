import { stateBatchNow } from "../../circuits/blob/blob-opening.ts";
import { isBlobShape } from "../../circuits/protocol.ts";
import { type SealedBatch, sealedCommitment, sealedDraftOf } from "../../circuits/table/sealed-batch.ts";
import type { StoreWrite } from "../store/ledger-log.ts";
import { recordOf, type StoredBatch } from "../store/stored-batch.ts";
import type { BatchBook } from "./batch-book.ts";
import type { HeadState } from "./head-state.ts";

/** What closing needs of the circuit that will prove the batch. */
export interface ClosingCircuit {
  readonly circuitId: bigint;
  /** The circuit's input signals at challenge z. */
  readonly circuitInputs: (closed: SealedBatch, z: bigint) => unknown;
}

/**
 * Seals the head's open batch and enters it in the book; the writes belong beside its log entry.
 * @throws RangeError where the batch has a blob, and `preloadKzg` was not awaited
 */
export function closeBatch(
  modules: { head: HeadState; book: BatchBook; circuit: ClosingCircuit },
  facts: {
    openedAtMs: number;
    closedAtMs: number;
    firstSequence: number;
    sequence: number;
    rebuildCount: number;
  },
): { record: StoredBatch; writes: StoreWrite[] } {
  const { head, book, circuit } = modules;
  const { sequence, ...rest } = facts;
  const { closed, changes, settlements } = head.close();
  const { data } = closed.batch;
  const commitment = sealedCommitment(closed);
  // The blob's opening is a part of what is posted, and its commitment of z.
  const posted = isBlobShape(data.shape)
    ? { posted: stateBatchNow(data, circuit.circuitId, commitment) }
    : {};
  const record = recordOf(closed.batch, {
    ...rest,
    ...posted,
    commitment,
    settlements,
    circuitId: circuit.circuitId,
    position: { ...head.position, sequence },
  });
  // The circuit's inputs are laid out when a prover asks for them: most of their hashes serve nobody else.
  return { record, writes: book.add(record, changes, sealedDraftOf(closed)) };
}
