import { Worker } from "node:worker_threads";
import { RollupError } from "../../circuits/rollup-error.ts";
import { servingError } from "../adapters/serving-errors.ts";
import type {
  AttributionNews,
  AttributionOrder,
  AttributionResults,
  AttributionSeat,
  AttributionTask,
} from "./attribution-worker.ts";

interface Waiting {
  settle(value: never): void;
  fail(error: unknown): void;
}

/** Queries and estimates of registered models, beside the thread that serves HTTP. */
export class AttributionThread {
  readonly #worker: Worker;
  readonly #onEnd: (error: RollupError) => void;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #failure: RollupError | null = null;

  private constructor(worker: Worker, onEnd: (error: RollupError) => void) {
    this.#worker = worker;
    this.#onEnd = onEnd;
    worker.on("message", (news: AttributionNews) => this.#onNews(news));
    worker.on("error", (error) => this.#end(error));
    worker.on("exit", () => this.#end(new Error("the thread of attributions has ended")));
  }

  /**
   * Resolves once the base is loaded.
   * @param onEnd told where the thread ends by itself: nothing is attributed any more
   * @throws RollupError what the base is refused for; MOD_SERVE_STOPPING
   */
  static async start(seat: AttributionSeat, onEnd: (error: RollupError) => void): Promise<AttributionThread> {
    const entry = new URL("./attribution-worker-entry.js", import.meta.url);
    const worker = new Worker(entry, { workerData: seat, execArgv: [] });
    await new Promise<void>((settle, fail) => {
      worker.once("message", (news: AttributionNews) => {
        if ("ready" in news) settle();
        else fail("refusal" in news ? refused(news.refusal) : stopping(new Error("it does not start")));
      });
      worker.once("error", (error) => fail(stopping(error)));
    });
    return new AttributionThread(worker, onEnd);
  }

  /** @throws RollupError what the model's files and the prompt are refused for; MOD_SERVE_STOPPING */
  run<Kind extends AttributionTask["kind"]>(
    task: AttributionTask & { readonly kind: Kind },
  ): Promise<AttributionResults[Kind]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const order: AttributionOrder = { id: this.#nextId++, task };
    return new Promise((settle, fail) => {
      this.#waiting.set(order.id, { settle, fail });
      this.#worker.postMessage(order);
    });
  }

  async close(): Promise<void> {
    this.#fail(new Error("the server stops"));
    await this.#worker.terminate();
  }

  #onNews(news: AttributionNews): void {
    if ("ready" in news) return;
    const waiting = this.#waiting.get(news.id);
    this.#waiting.delete(news.id);
    if ("value" in news) waiting?.settle(news.value as never);
    else if ("refusal" in news) waiting?.fail(refused(news.refusal));
    else waiting?.fail(news.failure);
  }

  #end(cause: Error): void {
    if (this.#failure !== null) return;
    this.#fail(cause);
    this.#onEnd(stopping(cause));
  }

  #fail(cause: Error): void {
    if (this.#failure !== null) return;
    this.#failure = stopping(cause);
    for (const { fail } of this.#waiting.values()) fail(this.#failure);
    this.#waiting.clear();
  }
}

const refused = ({ code, data, message }: { code: string; message: string; data: object }) =>
  new RollupError(code, message, { data });

function stopping(cause: Error) {
  return servingError("MOD_SERVE_STOPPING", `nothing is attributed any more: ${cause.message}`, { cause });
}
