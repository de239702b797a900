/**
 * The answer server's side of a thread that answers a batch of requests together (batch-worker.ts): sends requests in, passes
 * on their tokens and the milliseconds of each step.
 */
import { Worker } from "node:worker_threads";
import type { SharedArena } from "../kernels/create-kernels.ts";
import type { BatchRequest, BatchToken } from "./batch-loop.ts";
import type { BatchModel } from "./batch-model.ts";
import type { BatchEvents, BatchOrder, BatchSeat } from "./batch-worker.ts";

interface BatchListener {
  onTokens(tokens: readonly BatchToken[], stepMs: number): void;
  /** A request that was asked to leave has left, or had ended before. */
  onLeft(id: number): void;
  onFailed(error: Error): void;
}

/** One batch on a thread of its own. */
export class BatchThread {
  readonly #worker: Worker;
  /** Requests in it. */
  activeCount = 0;

  constructor(shared: SharedArena, threadIndex: number, model: BatchModel, listener: BatchListener) {
    const { kernels: _, ...parts } = model;
    const workerData: BatchSeat = { shared, threadIndex, parts };
    this.#worker = new Worker(new URL("./batch-worker-entry.js", import.meta.url), {
      workerData,
      execArgv: [],
    });
    this.#worker.on("message", (events: BatchEvents) => {
      if ("left" in events) listener.onLeft(events.left);
      else listener.onTokens(events.tokens, events.stepMs);
    });
    this.#worker.on("error", (error) => listener.onFailed(error));
  }

  join(request: BatchRequest): void {
    this.#send({ join: request });
  }

  leave(id: number): void {
    this.#send({ leave: id });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(order: BatchOrder): void {
    this.#worker.postMessage(order);
  }
}
