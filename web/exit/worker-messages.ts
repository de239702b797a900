/** Messages between the exit page's prover (page-prover.ts) and its worker (prove-worker.ts). */
import type { CircuitInputs } from "@openledger/circuits/compiler/witness-calculator";
import type {
  SingleThreadCircuit,
  SingleThreadProof,
  SingleThreadStage,
} from "@openledger/prover/wasm/single-thread";

/** Message to the worker that proves exits: a circuit and its inputs. */
export interface WorkerTask {
  readonly circuit: SingleThreadCircuit;
  readonly inputs: CircuitInputs;
}

/** Stages of the proof, then the proof or its failure. */
export type WorkerAnswer =
  | { readonly kind: "stage"; readonly stage: SingleThreadStage }
  | ({ readonly kind: "proven" } & SingleThreadProof)
  /** `code` of a RollupError, else null. */
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };
