/** Thread that runs tasks one after another, and may ask this thread a question meanwhile. */
import { Worker } from "node:worker_threads";
import type { RollupError } from "../rollup-error.ts";
import { type Outcome, outcomeOf, valueIn } from "./task-outcome.ts";

/** Message from the thread. The first one tells whether it is ready. */
export type TaskNews =
  | { readonly ready: Outcome }
  | { readonly id: number; readonly done: Outcome }
  | { readonly id: number; readonly part: unknown }
  | { readonly askId: number; readonly question: unknown };
/** Message to the thread. */
export type TaskOrder =
  | { readonly id: number; readonly task: unknown }
  | { readonly askId: number; readonly answer: Outcome };

interface TaskThreadOptions {
  /** A plain file of JavaScript that loads the worker. */
  readonly entry: URL;
  /** `workerData` of the worker. */
  readonly seat: unknown;
  /** Creates the error of tasks that end with the thread. */
  readonly ended: (cause: Error) => RollupError;
  /** Called if the thread ends by itself. */
  readonly onEnd: (error: RollupError) => void;
  /** Answers the thread's questions. Default: it has none. */
  readonly onAsk?: (question: never) => Promise<unknown>;
}

interface Waiting {
  hear(part: never): void;
  settle(value: never): void;
  fail(error: unknown): void;
}

export class TaskThread<Task, Results extends { readonly [kind: string]: unknown }> {
  readonly #worker: Worker;
  readonly #options: TaskThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #failure: RollupError | null = null;

  private constructor(worker: Worker, options: TaskThreadOptions) {
    this.#worker = worker;
    this.#options = options;
    worker.on("message", (news: TaskNews) => this.#onNews(news));
    worker.on("error", (error) => this.#end(error));
    worker.on("exit", () => this.#end(new Error("the thread has ended")));
  }

  /** Resolves once the worker is ready. @throws what the worker is refused for; `ended` */
  static async start<Task, Results extends { readonly [kind: string]: unknown }>(
    options: TaskThreadOptions,
  ): Promise<TaskThread<Task, Results>> {
    const worker = new Worker(options.entry, { workerData: options.seat, execArgv: [] });
    await new Promise<void>((settle, fail) => {
      worker.once("message", (news: TaskNews) => {
        try {
          if (!("ready" in news)) throw new Error("it does not start");
          valueIn(news.ready);
          settle();
        } catch (error) {
          fail(error);
        }
      });
      worker.once("error", (error) => fail(options.ended(error)));
      worker.once("exit", () => fail(options.ended(new Error("the thread has ended"))));
    }).catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    });
    return new TaskThread<Task, Results>(worker, options);
  }

  /** @param onPart told what the task has so far. @throws what the task is refused for; `ended` */
  run<Kind extends string & keyof Results>(
    task: Task & { readonly kind: Kind },
    onPart: (part: never) => void = () => {},
  ): Promise<Results[Kind]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((settle, fail) => {
      this.#waiting.set(id, { hear: onPart, settle, fail });
      this.#tell({ id, task });
    });
  }

  async close(why = new Error("the server stops")): Promise<void> {
    this.#fail(why);
    await this.#worker.terminate();
  }

  #tell(order: TaskOrder): void {
    this.#worker.postMessage(order);
  }

  #onNews(news: TaskNews): void {
    if ("ready" in news) return;
    if ("askId" in news) {
      void this.#answer(news.askId, news.question);
      return;
    }
    const waiting = this.#waiting.get(news.id);
    if ("part" in news) {
      waiting?.hear(news.part as never);
      return;
    }
    this.#waiting.delete(news.id);
    try {
      waiting?.settle(valueIn(news.done) as never);
    } catch (error) {
      waiting?.fail(error);
    }
  }

  async #answer(askId: number, question: unknown): Promise<void> {
    const { onAsk } = this.#options;
    const answer = await outcomeOf(async () => onAsk?.(question as never));
    this.#tell({ askId, answer });
  }

  #end(cause: Error): void {
    if (this.#failure !== null) return;
    this.#options.onEnd(this.#fail(cause));
  }

  #fail(cause: Error): RollupError {
    this.#failure ??= this.#options.ended(cause);
    for (const { fail } of this.#waiting.values()) fail(this.#failure);
    this.#waiting.clear();
    return this.#failure;
  }
}
