import { Worker } from "node:worker_threads";
import { RollupError } from "../../circuits/rollup-error.ts";
import type { PartAnswer, PartRequest } from "./witness-worker.ts";

interface Queued {
  readonly request: PartRequest;
  readonly settle: (ports: Uint8Array) => void;
  readonly fail: (error: Error) => void;
}

/** Threads that calculate parts of witnesses, each one at a time. They start when needed, and keep nobody alive. */
export class WitnessThreads {
  readonly #threadCount: number;
  readonly #queue: Queued[] = [];
  readonly #idle: Worker[] = [];
  readonly #all = new Map<Worker, Queued | null>();
  #isEnded = false;

  constructor(threadCount: number) {
    this.#threadCount = threadCount;
  }

  /**
   * The values of a part's ports.
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH; an Error where the thread died or the program is broken
   */
  run(request: PartRequest): Promise<Uint8Array> {
    return new Promise((settle, fail) => {
      if (this.#isEnded) return fail(new Error("the threads were ended"));
      this.#queue.push({ request, settle, fail });
      this.#next();
    });
  }

  /** Fails what runs or waits. */
  async end(): Promise<void> {
    this.#isEnded = true;
    for (const { fail } of this.#queue.splice(0)) fail(new Error("the threads were ended"));
    await Promise.all([...this.#all.keys()].map((worker) => worker.terminate()));
  }

  #next(): void {
    const worker = this.#queue.length === 0 ? undefined : (this.#idle.pop() ?? this.#start());
    if (worker === undefined) return;
    const queued = this.#queue.shift()!;
    this.#all.set(worker, queued);
    worker.ref();
    worker.postMessage(queued.request);
  }

  #start(): Worker | undefined {
    if (this.#all.size >= this.#threadCount) return undefined;
    const worker = new Worker(new URL("./witness-worker-entry.js", import.meta.url), { execArgv: [] });
    this.#all.set(worker, null);
    worker.on("message", (answer: PartAnswer) => {
      const queued = this.#all.get(worker);
      this.#all.set(worker, null);
      this.#idle.push(worker);
      worker.unref();
      if (answer.kind === "calculated") queued?.settle(answer.ports);
      else queued?.fail(toError(answer));
      this.#next();
    });
    const onEnd = (reason: string) => {
      const queued = this.#all.get(worker);
      if (!this.#all.delete(worker)) return;
      const position = this.#idle.indexOf(worker);
      if (position >= 0) this.#idle.splice(position, 1);
      queued?.fail(new Error(`a thread that calculates witnesses ended: ${reason}`));
      if (!this.#isEnded) this.#next();
    };
    worker.on("error", (error: Error) => onEnd(error.message));
    worker.on("exit", (status) => onEnd(`status ${status}`));
    return worker;
  }
}

function toError({ code, message, data }: Extract<PartAnswer, { kind: "failed" }>): Error {
  return code === null ? new Error(message) : new RollupError(code, message, { data });
}
