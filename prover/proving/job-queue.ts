/**
 * Queue of proof jobs inside one back end: one at a time, each cancellable, with the clock of its stages. A back end may
 * begin the next job's witness meanwhile. All back ends and the child process's supervisor use it.
 */
import { proverError } from "../prover-errors.ts";
import type { ProofJob, ProofResult, ProofStage, ProveOptions } from "./prover.ts";

/** A job that waits or runs. */
export interface QueuedJob {
  readonly job: ProofJob;
  readonly options: ProveOptions;
  /** True if the caller has its answer: cancelled, closed, failed or proven. */
  readonly isSettled: boolean;
}

interface Entry<Result> extends QueuedJob {
  settle: (result: Result) => void;
  fail: (error: unknown) => void;
  isSettled: boolean;
}

interface JobQueueModules<Result> {
  /** Makes the proof. Its result is dropped if the job was cancelled meanwhile. */
  run(queued: QueuedJob): Promise<Result>;
  /** Stops the running job, because it was cancelled or the prover closed. */
  stop(): void;
  /** Called for the job that is next while another one runs: what it needs first can be made. It may be cancelled before it runs. */
  ahead?(queued: QueuedJob): void;
}

/** The jobs of a prover: one after another, each to be cancelled by its signal at any time. */
export class JobQueue<Result extends ProofResult> {
  readonly #modules: JobQueueModules<Result>;
  readonly #waiting: Entry<Result>[] = [];
  #running: Entry<Result> | null = null;
  /** Last job that `ahead` was called for. */
  #next: Entry<Result> | undefined;
  #idle: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(modules: JobQueueModules<Result>) {
    this.#modules = modules;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Queues a job. @throws RollupError PRV_CLOSED, PRV_CANCELLED, and the errors of `run` */
  add(job: ProofJob, options: ProveOptions): Promise<Result> {
    return new Promise((settle, fail) => {
      const { signal } = options;
      if (this.#isClosed) return fail(endedError("PRV_CLOSED", job));
      if (signal?.aborted) return fail(endedError("PRV_CANCELLED", job));
      const onAbort = () => this.#end(entry, "PRV_CANCELLED");
      const finish = (report: () => void) => {
        if (entry.isSettled) return;
        entry.isSettled = true;
        signal?.removeEventListener("abort", onAbort);
        report();
      };
      const entry: Entry<Result> = {
        job,
        options,
        isSettled: false,
        settle: (result) => finish(() => settle(result)),
        fail: (error) => finish(() => fail(error)),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(entry);
      if (this.#running === null) this.#idle = this.#runAll();
      else this.#lookAhead();
    });
  }

  /** Fails every job, and resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const entry of [...this.#waiting]) this.#end(entry, "PRV_CLOSED");
    if (this.#running !== null) this.#end(this.#running, "PRV_CLOSED");
    await this.#idle;
  }

  #end(entry: Entry<Result>, code: "PRV_CANCELLED" | "PRV_CLOSED"): void {
    if (entry.isSettled) return;
    const position = this.#waiting.indexOf(entry);
    if (position >= 0) this.#waiting.splice(position, 1);
    entry.fail(endedError(code, entry.job));
    if (this.#running === entry) this.#modules.stop();
    this.#lookAhead();
  }

  #lookAhead(): void {
    const next = this.#waiting[0];
    if (this.#isClosed || next === undefined || next === this.#next) return;
    this.#next = next;
    this.#modules.ahead?.(next);
  }

  async #runAll(): Promise<void> {
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      this.#running = entry;
      try {
        const result = this.#modules.run(entry);
        this.#lookAhead();
        entry.settle(await result);
      } catch (error) {
        entry.fail(error);
      }
      this.#running = null;
    }
    this.#next = undefined;
  }
}

/** The times of a job's stages. Each begins where the one before it ends. */
export class StageClock {
  readonly #queued: QueuedJob;
  readonly #start = performance.now();
  #lap = this.#start;

  constructor(queued: QueuedJob) {
    this.#queued = queued;
  }

  /**
   * Reports a stage to the job's caller.
   * @returns milliseconds of the last stage
   * @throws PRV_CANCELLED: nobody waits, stop here
   */
  begin(stage: ProofStage): number {
    requireWaiting(this.#queued);
    const lapMs = this.lapMs();
    this.#queued.options.onProgress?.({ stage, elapsedMs: this.#lap - this.#start });
    return lapMs;
  }

  /** Milliseconds since the last stage began. The next call counts from here. */
  lapMs(): number {
    const now = performance.now();
    const lapMs = now - this.#lap;
    this.#lap = now;
    return lapMs;
  }
}

/** Requires that somebody still waits for the job. @throws RollupError PRV_CANCELLED */
export function requireWaiting(queued: QueuedJob): void {
  if (queued.isSettled) throw endedError("PRV_CANCELLED", queued.job);
}

function endedError(code: "PRV_CANCELLED" | "PRV_CLOSED", { circuit }: ProofJob) {
  const reason = code === "PRV_CANCELLED" ? "was cancelled" : "ended, as the prover was closed";
  return proverError(code, `the proof of ${circuit.name} ${reason}`, { data: { circuit: circuit.name } });
}
