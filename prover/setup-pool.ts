import { Worker } from "node:worker_threads";
import { proverError } from "./prover-errors.ts";
import type { SetupAnswer, SetupImages, SetupTask } from "./setup-worker.ts";

interface Queued {
  task: SetupTask;
  settle: (answer: SetupAnswer) => void;
  fail: (error: unknown) => void;
  onProgress: (constraintsDone: number) => void;
}

/** Worker threads that take the setup's tasks in order, each the next one as soon as it is free. */
export class SetupPool {
  readonly #queue: Queued[] = [];
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Queued>();
  readonly #workers: Worker[];
  #failure: unknown = null;

  constructor(images: SetupImages, workerCount: number) {
    this.#workers = Array.from({ length: workerCount }, () => {
      const worker = new Worker(new URL("./setup-worker-entry.js", import.meta.url), {
        workerData: images,
        execArgv: [],
      });
      worker.on("message", (answer: SetupAnswer) => this.#take(worker, answer));
      worker.on("error", (error) => this.#take(worker, { kind: "failed", error }));
      worker.on("exit", (status) =>
        this.#take(worker, { kind: "failed", error: new Error(`the worker exited with status ${status}`) }),
      );
      this.#idle.push(worker);
      return worker;
    });
  }

  /** @throws RollupError PRV_SETUP_FAILED when a worker throws or dies; then all later tasks fail too */
  run(task: SetupTask, onProgress: (constraintsDone: number) => void = () => {}): Promise<SetupAnswer> {
    return new Promise((settle, fail) => {
      this.#queue.push({ task, settle, fail, onProgress });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #dispatch(): void {
    if (this.#failure !== null) {
      for (const queued of this.#queue.splice(0)) queued.fail(this.#failure);
      return;
    }
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const worker = this.#idle.pop()!;
      const queued = this.#queue.shift()!;
      this.#running.set(worker, queued);
      worker.postMessage(queued.task);
    }
  }

  #take(worker: Worker, answer: SetupAnswer): void {
    const queued = this.#running.get(worker);
    if (queued === undefined) return; // close() ended it, or it failed before
    if (answer.kind === "progress") {
      queued.onProgress(answer.constraintsDone);
      return;
    }
    this.#running.delete(worker);
    this.#idle.push(worker);
    if (answer.kind === "failed") {
      this.#failure = proverError("PRV_SETUP_FAILED", `the key setup's ${queued.task.kind} step failed`, {
        data: { step: queued.task.kind },
        cause: answer.error,
      });
      queued.fail(this.#failure);
    } else {
      queued.settle(answer);
    }
    this.#dispatch();
  }
}
