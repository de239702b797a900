/**
 * Database of a watcher (LevelDB): which models and settlements it has recomputed, what it found, who has been told, and the
 * day's use.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { Conclusion } from "./recomputation.ts";

/** Task: one model, or one settlement of it, that is recomputed once. */
export interface WatchTask {
  readonly modelId: number;
  /** null: the model itself. */
  readonly epoch: number | null;
}

export interface StoredTask extends WatchTask {
  readonly conclusion: Conclusion;
  readonly foundAtMs: number;
  /** Places that have the signed record: "Datanet host's URL#Datanet". */
  readonly sentTo: readonly string[];
  /** true: the webhook has been told, or there is nothing to tell. */
  readonly isReported: boolean;
}

export type DifferingTask = StoredTask & {
  readonly conclusion: Extract<Conclusion, { readonly result: "differs" }>;
};

/** Usage of one day (UTC, counted from 1970). */
export interface DayUsage {
  readonly day: number;
  readonly ms: number;
  readonly bytes: number;
}

const digits = (value: number) => value.toString().padStart(10, "0");
/** Epochs that are paid begin with 1. */
export const taskName = ({ epoch, modelId }: WatchTask) => `${digits(modelId)}/${digits(epoch ?? 0)}`;
const TASKS = { gte: "task/", lt: "task0" };
const USAGE = "usage";

const REMEDIES = {
  locked: "Stop that process, or give each watcher a folder of its own (--data).",
  corrupt: "Move the folder away and start again: the watcher recomputes everything.",
  failed: "Read the reason (a full disk, for example), mend it and start the watcher again.",
};

/** Durable cursor of a watcher: finished tasks, signed records and reports. Each write is durable when it resolves. */
export class WatchStore {
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

  async tasks(): Promise<StoredTask[]> {
    const found: StoredTask[] = [];
    const entries = this.#level.readEach(this.#level.db.iterator(TASKS));
    for await (const [, value] of entries) found.push(value as StoredTask);
    return found;
  }

  putTask(task: StoredTask): Promise<void> {
    return this.#level.write([{ type: "put", key: `task/${taskName(task)}`, value: task }]);
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
