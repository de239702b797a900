/** Tasks of a watcher and their results: its own (watch-store.ts), or those that watchers on one database share (shared-tasks.ts). */
import type { Conclusion } from "./recomputation.ts";

/** Task: one model, or one settlement of it, that is recomputed once. */
export interface WatchTask {
  readonly modelId: number;
  /** null: the model itself. */
  readonly epoch: number | null;
}

export interface StoredTask extends WatchTask {
  readonly conclusion: Conclusion;
  readonly foundAtMs: number;
  /** Places that have the signed record: "Datanet host's URL#Datanet". */
  readonly sentTo: readonly string[];
  /** true: the webhook has been told, or there is nothing to tell. */
  readonly isReported: boolean;
}

export type DifferingTask = StoredTask & {
  readonly conclusion: Extract<Conclusion, { readonly result: "differs" }>;
};

/** A task that this watcher has, and no other one of the same tasks. */
export interface HeldTask {
  /** Aborted with the given signal, and when the watcher has lost the task to another one. */
  readonly signal: AbortSignal;
  /** Tells the other watchers how far the task is. */
  progress(text: string): void;
}

/** Finished tasks, durable when a write resolves. */
export interface WatchTasks {
  all(): Promise<StoredTask[]>;
  /** Lists what other watchers have written since the last call. */
  news(): Promise<StoredTask[]>;
  /** @throws what aborted the signal, which ends the wait for a database that is away */
  put(task: StoredTask, signal: AbortSignal): Promise<void>;
  /**
   * Does `work` on a task unless another watcher is at it.
   * @returns whether it was done here. @throws what `work` throws
   */
  alone(task: WatchTask, signal: AbortSignal, work: (held: HeldTask) => Promise<void>): Promise<boolean>;
}

const digits = (value: number) => value.toString().padStart(10, "0");
/** Epochs that are paid begin with 1. */
export const taskName = ({ epoch, modelId }: WatchTask) => `${digits(modelId)}/${digits(epoch ?? 0)}`;
