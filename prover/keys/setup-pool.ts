/** Threads that make development keys (development-setup.ts): they run setup-tasks.ts. */
import { availableParallelism } from "node:os";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import { buildBn254Image } from "../formats/bn254-wasm.ts";
import { loadNativeAddon, type NativePath } from "../native/native-addon.ts";
import { proverError } from "../prover-errors.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import type { SetupArithmetic } from "./setup-tasks.ts";

/** Worker threads that take the setup's tasks in order, each the next one as soon as it is free. */
export type SetupPool = TaskPool<typeof import("./setup-tasks.ts")>;

/** Bytes that threads share. */
export const shared = (byteCount: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(byteCount));

const died = (cause: unknown) =>
  proverError("PRV_WORKER_DIED", `a step of the key setup failed: ${(cause as Error).message}`, {
    data: { reason: (cause as Error).message },
    cause,
  });

export interface SetupPoolOptions {
  /** Threads; default: one a core. */
  readonly workerCount?: number | undefined;
  /** How far the threads stand back behind others (task-pool.ts); default: 0. */
  readonly niceness?: number | undefined;
  /** Path of the native addon; null: WebAssembly computes. Default: the faster one. */
  readonly path?: NativePath | null | undefined;
}

/** The addon's path that multiplies points faster than WebAssembly; null where it is not built or has none. */
export function fastPath(): NativePath | null {
  try {
    const [path] = loadNativeAddon().paths();
    return path === undefined || path === "portable" ? null : path;
  } catch (error) {
    if (!isRollupError(error, "PRV_NATIVE_UNAVAILABLE")) throw error;
    return null;
  }
}

/**
 * Runs the work on threads.
 * @throws RollupError PRV_WORKER_DIED where a task fails or a thread dies
 */
export async function withSetupPool<T>(
  work: (pool: SetupPool) => Promise<T>,
  { workerCount = availableParallelism(), niceness = 0, path = fastPath() }: SetupPoolOptions = {},
): Promise<T> {
  const seat: SetupArithmetic =
    path === null
      ? { scalar: await buildBn254Image(), curve: buildKernelImage() }
      : { scalar: null, curve: path };
  const tasks = new URL("./setup-tasks.ts", import.meta.url);
  const pool: SetupPool = new TaskPool({
    tasks,
    seat,
    threadCount: workerCount,
    // Points are in buffers; the circuits are the rollup's own.
    maxHeapMb: OWN_WORK_HEAP_MB,
    niceness,
    isWarm: true,
    ended: died,
  });
  try {
    return await work(pool);
  } catch (error) {
    throw isRollupError(error) ? error : died(error);
  } finally {
    await pool.close();
  }
}
