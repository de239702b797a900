import { Worker } from "node:worker_threads";
import type { BlobWithProofs } from "@openledger/circuits/blob/blob-sidecar";
import type { Hex } from "viem";
import type { BlobAnswer, BlobTask } from "./blob-worker.ts";

/** The dear work on blobs, wherever it is done. */
export interface BlobWork {
  /** @param elements the coefficients. @returns the blob with one proof */
  blob(elements: readonly bigint[]): Promise<BlobWithProofs>;
  /** The proofs of a blob's 128 cells: seconds of a processor. */
  cells(blob: Hex): Promise<readonly Hex[]>;
}

/**
 * The thread that makes blobs: the bridge's loops go on meanwhile. It starts with the first task, takes
 * one at a time, and does not hold the process alive. A dead one is started again.
 */
export class BlobThread implements BlobWork {
  #worker: Worker | null = null;

  blob(elements: readonly bigint[]): Promise<BlobWithProofs> {
    return this.#run({ elements }) as Promise<BlobWithProofs>;
  }

  cells(blob: Hex): Promise<readonly Hex[]> {
    return this.#run({ blob }) as Promise<readonly Hex[]>;
  }

  /** Rejects when the thread dies; stays open where it is ended. */
  #run(task: BlobTask): Promise<BlobAnswer> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise<BlobAnswer>((settle, fail) => {
      const finish = (report: () => void) => {
        worker.off("message", onMessage).off("error", onError).off("exit", onExit);
        report();
      };
      const onMessage = (answer: BlobAnswer) => finish(() => settle(answer));
      const onError = (error: unknown) => finish(() => fail(error));
      const onExit = (status: number) => onError(new Error(`the blobs' thread ended with status ${status}`));
      worker.on("message", onMessage).on("error", onError).on("exit", onExit);
      worker.postMessage(task);
    });
  }

  /** Ends the thread and its task. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.removeAllListeners().terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./blob-worker-entry.js", import.meta.url), { execArgv: [] });
    worker.unref();
    // Waiting callers get an error; the exit follows.
    worker
      .on("error", () => {})
      .on("exit", () => {
        if (this.#worker === worker) this.#worker = null;
      });
    return worker;
  }
}
