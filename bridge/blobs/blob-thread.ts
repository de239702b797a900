/**
 * Thread of the bridge that makes blobs and their KZG proofs, which take up to seconds of a processor, so that its loops go
 * on meanwhile. The publisher's bundle-blobs.ts and transaction-sender.ts give it work.
 */
import type { BlobWithProofs } from "@openledger/circuits/blob/blob-sidecar";
import { processErrors } from "@openledger/foundation/error-table";
import { TaskPool } from "@openledger/foundation/threads/task-pool";
import type { Hex } from "viem";

/** Heap of the thread: some times what Ethereum's setup and a blob of 4,096 elements take. Guess. */
const MAX_HEAP_MB = 1_024;

/** The expensive work on blobs, on this thread or another. */
export interface BlobWork {
  /** @param elements the coefficients. @returns the blob with one proof */
  blob(elements: readonly bigint[]): Promise<BlobWithProofs>;
  /** The proofs of a blob's 128 cells. */
  cells(blob: Hex): Promise<readonly Hex[]>;
}

/**
 * Thread that makes blobs. It starts with the first task, takes one at a time, and does not hold the process alive. A
 * dead one is started again.
 */
export class BlobThread implements BlobWork {
  readonly #pool = new TaskPool<typeof import("./blob-tasks.ts")>({
    tasks: new URL("./blob-tasks.ts", import.meta.url),
    threadCount: 1,
    maxHeapMb: MAX_HEAP_MB,
    ended: (cause) =>
      processErrors.raise("SRV_STOPPING", `the blobs' thread ended: ${cause.message}`, { cause }),
  });

  /** Reads Ethereum's setup ahead of the first blob. @throws SRV_STOPPING where the thread died */
  prepare(): Promise<void> {
    return this.#pool.run("prepare", undefined);
  }

  /** @throws SRV_STOPPING where the thread died */
  blob(elements: readonly bigint[]): Promise<BlobWithProofs> {
    return this.#pool.run("blob", elements);
  }

  /** @throws SRV_STOPPING where the thread died */
  cells(blob: Hex): Promise<readonly Hex[]> {
    return this.#pool.run("cells", blob);
  }

  /** Ends the thread and what it does. */
  end(): Promise<void> {
    return this.#pool.close();
  }
}
