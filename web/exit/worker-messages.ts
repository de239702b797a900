import type { CircuitInputs } from "@openledger/circuits/compiler/witness-calculator";
import type {
  SingleThreadCircuit,
  SingleThreadProof,
  SingleThreadStage,
} from "@openledger/prover/wasm/single-thread";

/** The only message to the worker. */
export interface WorkerTask {
  readonly circuit: SingleThreadCircuit;
  readonly inputs: CircuitInputs;
}

export type WorkerAnswer =
  | { readonly kind: "stage"; readonly stage: SingleThreadStage }
  | ({ readonly kind: "proven" } & SingleThreadProof)
  /** `code` of a RollupError, else null. */
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };
