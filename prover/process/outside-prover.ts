/**
 * Interface of provers outside of the calling process, a child (child-prover.ts) or the queue's workers
 * (queue-prover.ts), and their state for health and metrics. The sequencer and servers that settle hold one.
 */
import type { Prover } from "../proving/prover.ts";

/** State of a child process for health and metrics. */
export interface ChildState {
  readonly place: "process";
  readonly isReady: boolean;
  /** Running back end; null while none runs. */
  readonly backend: string | null;
  readonly processId: number | null;
  /** Starts after the first one. */
  readonly restartCount: number;
  /** Stage of the running proof; null while none runs. */
  readonly stage: string | null;
  readonly stageElapsedMs: number | null;
  readonly memoryBytes: number;
  /** Code of the error that stops proofs, until one succeeds again; null if all is well. */
  readonly failingCode: string | null;
}

/** State of the queue for health and metrics. */
export interface QueueState {
  readonly place: "queue";
  /** True if the database answers and a worker is there. */
  readonly isReady: boolean;
  readonly workerCount: number;
  readonly waitingCount: number;
  readonly activeCount: number;
  readonly failingCode: string | null;
}

export type ProverState = ChildState | QueueState;

/** Prover outside of this process: a child of it, or the queue's workers. */
export interface OutsideProver extends Prover {
  /** Maximum jobs that gain from running at once. */
  readonly concurrency: number;
  readonly state: ProverState;
}

/** Logger of the process that uses the prover. */
export interface ProverLogger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface OutsideProverEvents {
  /** Called after every check of a proof by another back end. */
  readonly onCrossCheck?: (result: "same" | "failed") => void;
  /** Called for every worker that handed in a false proof of its job. */
  readonly onFalseProof?: (worker: string) => void;
}
