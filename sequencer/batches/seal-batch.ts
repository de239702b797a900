import type { SealedBatch } from "../../circuits/batch/batch.ts";
import { draftOf } from "../../circuits/batch/batch-draft.ts";
import { type BatchRecord, recordOf } from "../store/batch-record.ts";
import type { StoreWrite } from "../store/ledger-log.ts";
import type { BatchBook } from "./batch-book.ts";
import type { HeadState } from "./head-state.ts";

/** What sealing needs of the circuit that will prove the batch. */
export interface SealingCircuit {
  readonly circuitId: bigint;
  /** The circuit's input signals at challenge z. */
  readonly circuitInputs: (sealed: SealedBatch, z: bigint) => unknown;
}

/** Seals the head's open batch and enters it in the book; the writes belong beside its log entry. */
export function sealBatch(
  modules: { head: HeadState; book: BatchBook; circuit: SealingCircuit },
  facts: {
    openedAtMs: number;
    sealedAtMs: number;
    firstSequence: number;
    sequence: number;
    rebuildCount: number;
  },
): { record: BatchRecord; writes: StoreWrite[] } {
  const { head, book, circuit } = modules;
  const { sequence, ...rest } = facts;
  const { sealed, changes, settlements } = head.seal();
  const record = recordOf(sealed, {
    ...rest,
    settlements,
    circuitId: circuit.circuitId,
    position: { ...head.position, sequence },
  });
  // The circuit's inputs are laid out when a prover asks for them: most of their hashes serve nobody else.
  return { record, writes: book.add(record, changes, draftOf(sealed)) };
}
