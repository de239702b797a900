import type { Prover } from "../proving/prover.ts";

/** Of a child process, as health and metrics show it. */
export interface ChildState {
  readonly place: "process";
  readonly isReady: boolean;
  /** The back end that runs; null while none does. */
  readonly backend: string | null;
  readonly processId: number | null;
  /** Starts after the first one. */
  readonly restartCount: number;
  /** Of the running proof; null while none runs. */
  readonly stage: string | null;
  readonly stageElapsedMs: number | null;
  readonly memoryBytes: number;
  /** Why no proof is made, until one is again; null where all is well. */
  readonly failingCode: string | null;
}

/** Of the queue, as health and metrics show it. */
export interface QueueState {
  readonly place: "queue";
  /** Whether Redis answers, and a worker is connected. */
  readonly isReady: boolean;
  readonly workerCount: number;
  readonly waitingCount: number;
  readonly activeCount: number;
  readonly failingCode: string | null;
}

export type ProverState = ChildState | QueueState;

/** A prover outside of this process: a child of it, or the queue's workers. */
export interface OutsideProver extends Prover {
  /** Jobs that are worth being given at once. */
  readonly concurrency: number;
  readonly state: ProverState;
}

/** What a prover tells its own process's log. */
export interface ProverLogger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface OutsideProverEvents {
  /** Told after every check of a proof by another back end. */
  readonly onCrossCheck?: (result: "same" | "failed") => void;
  /** Told of every worker that handed in what is no proof of its job. */
  readonly onFalseProof?: (worker: string) => void;
}
