/**
 * Queue of a server's short computations beside the jobs: estimates, comparisons, exports, descriptions of bases. Its routes wait
 * for their results; accounts are leaves of the ledger.
 */
import { factoryError } from "../../model-errors.ts";
import { ChildTask, type TaskLimits } from "./child-task.ts";
import type { FactoryTask, TaskResults } from "./task-messages.ts";

type SideMode = Exclude<FactoryTask["mode"], "train" | "activation" | "baseCopy">;

type SideTask<Mode extends SideMode> = Extract<FactoryTask, { readonly mode: Mode }>;

interface SideOptions {
  /** Aborted when nobody waits for the result any more: a waiting task is dropped, a running one is killed. */
  readonly signal?: AbortSignal;
}

/** Computations of one account that run or wait. */
const MAX_OF_ACCOUNT = 4;

/**
 * Short computations that are asked for meanwhile: one of each account at a time, a few in all, and the others in the
 * order they came.
 */
export class SideTasks {
  readonly #max: number;
  readonly #limits: TaskLimits;
  /** Tasks by account; null after a turn is given and before its process begins. */
  readonly #running = new Map<number, ChildTask<FactoryTask["mode"]> | null>();
  readonly #waiting: { readonly leafId: number; readonly begin: () => void }[] = [];

  /** @param max processes at once; eight times as many wait at most */
  constructor(max: number, limits: TaskLimits) {
    this.#max = max;
    this.#limits = limits;
  }

  get counts() {
    return { running: this.#running.size, waiting: this.#waiting.length };
  }

  /** @throws SRV_QUOTA_USED if too many wait; the signal's reason; what the task throws */
  run<Mode extends SideMode>(
    leafId: number,
    task: SideTask<Mode>,
    options: SideOptions = {},
  ): Promise<TaskResults[Mode]> {
    return this.take(leafId, (compute) => compute(task), options);
  }

  /**
   * Runs `work` when the account may begin: what it fetches for a computation, it fetches in its turn.
   * @throws SRV_QUOTA_USED if too many wait; the signal's reason; what `work` throws
   */
  async take<T>(
    leafId: number,
    work: (
      compute: <Mode extends SideMode>(task: SideTask<Mode>) => Promise<TaskResults[Mode]>,
    ) => Promise<T>,
    { signal }: SideOptions = {},
  ): Promise<T> {
    this.#requireRoom(leafId);
    await this.#turn(leafId, signal);
    try {
      signal?.throwIfAborted();
      return await work(async <Mode extends SideMode>(task: SideTask<Mode>) => {
        signal?.throwIfAborted();
        const child = new ChildTask<Mode>(task, this.#limits);
        this.#running.set(leafId, child as never);
        signal?.addEventListener("abort", () => child.kill(), { once: true });
        return (await child.ended).result!;
      });
    } finally {
      this.#running.delete(leafId);
      this.#next();
    }
  }

  async close(): Promise<void> {
    this.#waiting.length = 0;
    const tasks = [...this.#running.values()];
    for (const task of tasks) task?.kill();
    await Promise.allSettled(tasks.map((task) => task?.ended));
  }

  #requireRoom(leafId: number): void {
    const own =
      this.#waiting.filter((one) => one.leafId === leafId).length + Number(this.#running.has(leafId));
    const isFullOfOwn = own >= MAX_OF_ACCOUNT;
    if (isFullOfOwn || this.#waiting.length >= 8 * this.#max)
      throw factoryError("SRV_QUOTA_USED", `leaf ${leafId} has ${own} computations that run or wait`, {
        data: {
          reason: "jobs-full",
          what: "computations",
          max: isFullOfOwn ? MAX_OF_ACCOUNT : 8 * this.#max,
        },
      });
  }

  #mayBegin(leafId: number): boolean {
    return this.#running.size < this.#max && !this.#running.has(leafId);
  }

  /** Resolves when the account may begin; its place is taken by then. */
  async #turn(leafId: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const one = { leafId, begin: resolve };
      this.#waiting.push(one);
      this.#next();
      signal?.addEventListener("abort", () => {
        const at = this.#waiting.indexOf(one);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      });
    });
  }

  #next(): void {
    const at = this.#waiting.findIndex(({ leafId }) => this.#mayBegin(leafId));
    if (at < 0) return;
    const [next] = this.#waiting.splice(at, 1);
    this.#running.set(next!.leafId, null);
    next!.begin();
  }
}
