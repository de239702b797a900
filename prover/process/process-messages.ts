/** Messages between a prover's child process and its parent, over Node's channel with structured clones. */
import type { ProofJob, ProofResult, ProofStage } from "../proving/prover.ts";

export type ParentMessage =
  | { readonly kind: "prove"; readonly id: number; readonly job: ProofJob }
  | { readonly kind: "cancel"; readonly id: number };

export interface ChildFailure {
  readonly code: string | null;
  readonly message: string;
  readonly data: object;
  readonly isRetryable: boolean;
}

export type ChildMessage =
  /** Sent once the back end is open. */
  | { readonly kind: "ready"; readonly backend: string }
  /** Sent every second by the process's event loop. */
  | { readonly kind: "beat"; readonly memoryBytes: number }
  | {
      readonly kind: "stage";
      readonly id: number;
      readonly stage: ProofStage;
      readonly elapsedMs: number;
    }
  | { readonly kind: "proven"; readonly id: number; readonly result: ProofResult }
  | { readonly kind: "failed"; readonly id: number; readonly failure: ChildFailure }
  | { readonly kind: "cross-check"; readonly result: "same" | "failed" }
  /** The process cannot start, and ends. */
  | { readonly kind: "unusable"; readonly failure: ChildFailure };

export const BEAT_MS = 1_000;
