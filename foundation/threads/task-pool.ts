/**
 * Pool of worker threads that run the functions of a module `…-tasks.ts`, called as if they were here: blobs,
 * proofs, tokens, training.
 */
import { getHeapStatistics } from "node:v8";
import { MessageChannel, receiveMessageOnPort, type Transferable } from "node:worker_threads";
import { Piscina } from "piscina";
import { processErrors } from "../error-table.ts";
import { RollupError } from "../rollup-error.ts";

/** Exports of a module of tasks: a function each, of one input that can be copied. Some tell what they have so far. */
type TaskModule = { readonly [name: string]: (input: never, tell: never) => unknown };

/**
 * Heap of a thread that does the operator's own work, in MiB: what this process may have itself. A thread that works for strangers has a
 * bound of its own.
 */
export const OWN_WORK_HEAP_MB = Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20);

interface TaskPoolOptions {
  /** `new URL("./…-tasks.ts", import.meta.url)`. */
  readonly tasks: URL;
  /** Handed to each thread once: `taskSeat` in the module of tasks. */
  readonly seat?: unknown;
  readonly threadCount: number;
  /**
   * Maximum heap of a thread, in MiB: above it the thread dies, its task fails with `ended`, and the process goes on. Bytes of buffers do
   * not count, and `--max-old-space-size` of the process goes before it. V8 ends the whole process where one object of more than 16 MiB
   * exceeds it, so tasks bound what they read, too.
   */
  readonly maxHeapMb: number;
  /** Tasks that may wait for a thread; default: no limit. */
  readonly maxWaiting?: number;
  /** How far the threads stand back behind others, as `nice` counts it, where the system can. Default: 0. */
  readonly niceness?: number;
  /** true: all threads start now, not with the first task. Default: false. */
  readonly isWarm?: boolean;
  /** Error of a task whose thread died, and of all tasks after `close`. */
  readonly ended: (cause: Error) => RollupError;
}

interface RunOptions<Part> {
  /** Ends a task that waits; ends the thread of one that runs, and another thread takes its place. */
  readonly signal?: AbortSignal | undefined;
  /** Moved to the thread, not copied. */
  readonly transfer?: readonly Transferable[];
  readonly onPart?: ((part: Part) => void) | undefined;
}

type InputOf<Task> = Task extends (input: infer Input, ...rest: never) => unknown ? Input : never;
type PartOf<Task> = Task extends (input: never, tell: (part: infer Part) => void) => unknown ? Part : never;
type ResultOf<Task> = Task extends (...value: never) => infer Result ? Awaited<Result> : never;

/** Answer of task-entry.js. A RollupError comes as its parts, since classes do not pass between threads. */
type Outcome =
  | { readonly value: unknown }
  | { readonly refusal: Pick<RollupError, "code" | "message" | "data" | "isRetryable" | "remedy"> }
  | { readonly failure: unknown };

/** @typeParam Tasks `typeof import("./…-tasks.ts")` */
export class TaskPool<Tasks extends TaskModule> {
  readonly #options: TaskPoolOptions;
  #piscina: Piscina | null = null;
  #waitingCount = 0;
  #isClosed = false;

  constructor(options: TaskPoolOptions) {
    this.#options = options;
    if (options.isWarm === true) this.#open();
  }

  /**
   * Does the task on a thread that is free, in the order of the calls.
   * @throws what the task throws, a RollupError with its code; SRV_OVERLOADED; `ended`; the signal's reason
   */
  async run<Name extends string & keyof Tasks>(
    name: Name,
    input: InputOf<Tasks[Name]>,
    options: RunOptions<PartOf<Tasks[Name]>> = {},
  ): Promise<ResultOf<Tasks[Name]>> {
    const { onPart, signal } = options;
    const { ended, maxWaiting = Number.POSITIVE_INFINITY, threadCount } = this.#options;
    signal?.throwIfAborted();
    if (this.#isClosed) throw ended(new Error("the threads were ended"));
    if (this.#waitingCount >= threadCount + maxWaiting)
      throw processErrors.raise("SRV_OVERLOADED", `${maxWaiting} tasks wait for a thread`, {
        data: { waitingCount: this.#waitingCount },
      });
    const channel = onPart === undefined ? null : new MessageChannel();
    channel?.port1.on("message", onPart!);
    this.#waitingCount += 1;
    let outcome: Outcome;
    try {
      outcome = await this.#open().run(
        { name, input, port: channel?.port2 },
        {
          signal: signal ?? null,
          transferList: [...(options.transfer ?? []), ...(channel === null ? [] : [channel.port2])] as never,
        },
      );
      // A result may come before what was told on the way to it.
      for (let part = partIn(channel); part !== undefined; part = partIn(channel))
        onPart!(part.message as never);
    } catch (error) {
      signal?.throwIfAborted();
      throw ended(error as Error);
    } finally {
      this.#waitingCount -= 1;
      channel?.port1.close();
    }
    if ("value" in outcome) return outcome.value as ResultOf<Tasks[Name]>;
    if ("failure" in outcome) throw outcome.failure;
    const { code, message, remedy, ...details } = outcome.refusal;
    throw new RollupError(code, message, { ...details, remedy: remedy ?? undefined });
  }

  /** Ends all threads, and what they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#piscina?.destroy();
  }

  #open(): Piscina {
    if (this.#piscina !== null) return this.#piscina;
    const { isWarm = false, maxHeapMb, niceness = 0, seat, tasks, threadCount } = this.#options;
    this.#piscina = new Piscina({
      filename: new URL("./task-entry.js", import.meta.url).href,
      workerData: { module: tasks.href, seat },
      // Piscina tries `require` before `import`. Node 20.20.2 ends the whole process where a thread is ended while it requires an ES
      // module ("v8::Module::IsGraphAsync must be used on an instantiated module"); an import that is cut off does no harm.
      execArgv: ["--no-experimental-require-module"],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      // Not 0: Piscina 5.3.2 starts no thread for what waits where an abort has ended the last one.
      minThreads: isWarm ? threadCount : 1,
      maxThreads: threadCount,
      niceIncrement: niceness,
      // A thread keeps what it has loaded.
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that dies between two tasks; one that dies in a task fails that task. Piscina starts another one.
    this.#piscina.on("error", () => {});
    return this.#piscina;
  }
}

const partIn = (channel: MessageChannel | null) =>
  channel === null ? undefined : receiveMessageOnPort(channel.port1);
