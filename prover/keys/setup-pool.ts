import { availableParallelism } from "node:os";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { Piscina } from "piscina";
import { buildBn254Image } from "../formats/bn254-wasm.ts";
import { proverError } from "../prover-errors.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import type { SetupAnswer, SetupImages, SetupRequest, SetupTask } from "./setup-worker.ts";

/** Bytes that threads share. */
export const shared = (byteCount: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(byteCount));

/** Runs the work with a thread on each core, or with `workerCount` threads. */
export async function withSetupPool<T>(
  work: (pool: SetupPool) => Promise<T>,
  workerCount = availableParallelism(),
): Promise<T> {
  const pool = new SetupPool({ scalar: await buildBn254Image(), curve: buildKernelImage() }, workerCount);
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

/** Worker threads that take the setup's tasks in order, each the next one as soon as it is free. */
export class SetupPool {
  readonly #pool: Piscina<SetupRequest, SetupAnswer>;
  #failure: unknown = null;

  constructor(images: SetupImages, workerCount: number) {
    this.#pool = new Piscina({
      filename: new URL("./setup-worker-entry.js", import.meta.url).href,
      workerData: images,
      execArgv: [],
      minThreads: workerCount,
      maxThreads: workerCount,
      // A thread holds tables that cost more than it: none is ended before the setup is.
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that dies between two tasks; one that dies within a task fails that task.
    this.#pool.on("error", () => {});
  }

  /** @throws RollupError PRV_WORKER_DIED when a worker throws or dies; then all later tasks fail too */
  async run(task: SetupTask, onProgress: (constraintsDone: number) => void = () => {}): Promise<SetupAnswer> {
    if (this.#failure !== null) throw this.#failure;
    const { port1, port2 } = new MessageChannel();
    port1.on("message", onProgress);
    try {
      const answer = await this.#pool.run({ task, progress: port2 }, { transferList: [port2] });
      // An answer may come before what was said on the way to it.
      for (
        let report = receiveMessageOnPort(port1);
        report !== undefined;
        report = receiveMessageOnPort(port1)
      )
        onProgress(report.message);
      // A failure elsewhere leaves the file without its other parts: nothing of it is of use.
      if (this.#failure !== null) throw this.#failure;
      return answer;
    } catch (cause) {
      this.#failure ??= proverError("PRV_WORKER_DIED", `the key setup's ${task.kind} step failed`, {
        data: { step: task.kind },
        cause,
      });
      throw this.#failure;
    } finally {
      port1.close();
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
