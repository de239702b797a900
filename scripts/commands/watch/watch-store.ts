/**
 * Database of a watcher (LevelDB): which models and settlements it has recomputed, what it found, who has been told, and the
 * day's use.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { type HeldTask, type StoredTask, taskName, type WatchTask, type WatchTasks } from "./watch-tasks.ts";

/** Usage of one day (UTC, counted from 1970). */
export interface DayUsage {
  readonly day: number;
  readonly ms: number;
  readonly bytes: number;
}

const TASKS = { gte: "task/", lt: "task0" };
const USAGE = "usage";

const REMEDIES = {
  locked: "Stop that process, or give each watcher a folder of its own (--data).",
  corrupt: "Move the folder away and start again: the watcher recomputes everything.",
  failed: "Read the reason (a full disk, for example), mend it and start the watcher again.",
};

/** Durable cursor of a watcher that shares no tasks: finished tasks, signed records, reports; and the day's use of any watcher. */
export class WatchStore implements WatchTasks {
  readonly #level: CheckedLevel;

  private constructor(level: CheckedLevel) {
    this.#level = level;
  }

  /** @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED */
  static async open(
    path: string,
    rollup: StoreRollup,
    onFailure: (error: RollupError) => void,
  ): Promise<WatchStore> {
    const identity = { kind: "watcher", rollup } as const;
    return new WatchStore(
      await CheckedLevel.open(path, { identity, valueEncoding: checkedJson, remedies: REMEDIES, onFailure }),
    );
  }

  async all(): Promise<StoredTask[]> {
    const found: StoredTask[] = [];
    const entries = this.#level.readEach(this.#level.db.iterator(TASKS));
    for await (const [, value] of entries) found.push(value as StoredTask);
    return found;
  }

  /** Nobody else writes. */
  async news(): Promise<StoredTask[]> {
    return [];
  }

  put(task: StoredTask): Promise<void> {
    return this.#level.write([{ type: "put", key: `task/${taskName(task)}`, value: task }]);
  }

  async alone(
    _task: WatchTask,
    signal: AbortSignal,
    work: (held: HeldTask) => Promise<void>,
  ): Promise<boolean> {
    await work({ signal, progress: () => {} });
    return true;
  }

  async usage(): Promise<DayUsage | null> {
    const found = await this.#level.read(this.#level.db.get(USAGE));
    return (found as DayUsage | undefined) ?? null;
  }

  putUsage(usage: DayUsage): Promise<void> {
    return this.#level.write([{ type: "put", key: USAGE, value: usage }]);
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}
