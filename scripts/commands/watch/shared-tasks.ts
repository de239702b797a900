/**
 * Tasks that watchers on one PostgreSQL database share: results in a table, and a job of the queue for whoever is at a task, so
 * that none is recomputed, signed or reported twice, and another watcher takes over from one that is killed.
 */

import type { Database } from "@openledger/foundation/database/database";
import { type JobKind, JobQueue } from "@openledger/foundation/database/job-queue";
import type { DatabasePart } from "@openledger/foundation/database/migrate";
import { type DatabaseConfig, openDatabase } from "@openledger/foundation/database/open-database";
import type { DatabaseLogger } from "@openledger/foundation/database/queries";
import { whileAway } from "@openledger/foundation/database/while-away";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { z } from "zod";
import type { Conclusion } from "./recomputation.ts";
import { type HeldTask, type StoredTask, taskName, type WatchTask, type WatchTasks } from "./watch-tasks.ts";

const WATCH_PART: DatabasePart = {
  name: "watch",
  migrations: [
    `create table tasks (
       model_id integer not null,
       -- 0 for the model itself: epochs that are paid begin with 1.
       epoch integer not null,
       conclusion jsonb not null,
       found_at timestamptz not null,
       sent_to jsonb not null,
       is_reported boolean not null,
       changed_at timestamptz not null default now(),
       primary key (model_id, epoch)
     );
     create index tasks_changed_at on tasks (changed_at)`,
  ],
};

const MAX_PROGRESS_LETTERS = 1_000;

const taskSchema = z.strictObject({
  chainId: z.int().nonnegative(),
  rollupAddress: z.string().max(42),
  modelId: z.int().nonnegative(),
  epoch: z.int().nonnegative().nullable(),
});
const answerSchema = z.strictObject({});
const progressSchema = z.string().max(MAX_PROGRESS_LETTERS);
const RECOMPUTATIONS = {
  name: "recompute",
  task: taskSchema,
  answer: answerSchema,
  progress: progressSchema,
} as const satisfies JobKind<z.ZodType, z.ZodType, z.ZodType>;

type TaskQueue = JobQueue<typeof taskSchema, typeof answerSchema, typeof progressSchema>;

/** Transactions that were still open at the last look, and clocks, may be behind by this. */
const OVERLAP = "interval '1 minute'";
const COLUMNS = "model_id, epoch, conclusion, found_at, sent_to, is_reported, changed_at";

interface TaskRow {
  readonly model_id: number;
  readonly epoch: number;
  readonly conclusion: Conclusion;
  readonly found_at: Date;
  readonly sent_to: readonly string[];
  readonly is_reported: boolean;
  readonly changed_at: Date;
}

export class SharedTasks implements WatchTasks {
  readonly #rollup: StoreRollup;
  readonly #database: Database;
  readonly #queue: TaskQueue;
  #seenAt = new Date(0);

  /** @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA, SRV_WRONG_DATABASE */
  static async open(
    config: DatabaseConfig,
    rollup: StoreRollup,
    logger: DatabaseLogger,
  ): Promise<SharedTasks> {
    const database = await openDatabase(config, { part: WATCH_PART, rollup, logger, maxConnections: 4 });
    try {
      return new SharedTasks(database, await JobQueue.open(config, RECOMPUTATIONS, { logger }), rollup);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  private constructor(database: Database, queue: TaskQueue, rollup: StoreRollup) {
    this.#database = database;
    this.#queue = queue;
    this.#rollup = rollup;
  }

  all(): Promise<StoredTask[]> {
    this.#seenAt = new Date(0);
    return this.news();
  }

  async news(): Promise<StoredTask[]> {
    const rows = await this.#database.query<TaskRow>(
      `select ${COLUMNS} from tasks where changed_at > $1::timestamptz - ${OVERLAP} order by model_id, epoch`,
      [this.#seenAt],
    );
    for (const { changed_at } of rows) if (changed_at > this.#seenAt) this.#seenAt = changed_at;
    return rows.map((row) => ({
      modelId: row.model_id,
      epoch: row.epoch === 0 ? null : row.epoch,
      conclusion: row.conclusion,
      foundAtMs: row.found_at.getTime(),
      sentTo: row.sent_to,
      isReported: row.is_reported,
    }));
  }

  /** Waits for a database that is away: hours of work may be in the task. */
  put(task: StoredTask, signal: AbortSignal): Promise<void> {
    return whileAway(signal, () => this.#write(task, "do update set", WRITTEN));
  }

  /** Adds what the watcher found before it shared its tasks. */
  async adopt(tasks: readonly StoredTask[]): Promise<void> {
    for (const task of tasks) await this.#write(task, "do nothing", "");
  }

  async #write(
    task: StoredTask,
    onConflict: "do nothing" | "do update set",
    assignments: string,
  ): Promise<void> {
    const { conclusion, epoch, foundAtMs, isReported, modelId, sentTo } = task;
    await this.#database.query(
      `insert into tasks (model_id, epoch, conclusion, found_at, sent_to, is_reported) values ($1, $2, $3, $4, $5, $6)
       on conflict (model_id, epoch) ${onConflict} ${assignments}`,
      [
        modelId,
        epoch ?? 0,
        JSON.stringify(conclusion),
        new Date(foundAtMs),
        JSON.stringify(sentTo),
        isReported,
      ],
    );
  }

  async alone(
    task: WatchTask,
    signal: AbortSignal,
    work: (held: HeldTask) => Promise<void>,
  ): Promise<boolean> {
    const { chainId, rollupAddress } = this.#rollup;
    const { epoch, modelId } = task;
    const address = rollupAddress.toLowerCase();
    const attempt = await this.#queue.attempt(
      [chainId, address, taskName(task)].join("/"),
      { chainId, rollupAddress: address, modelId, epoch },
      {
        again: true,
        signal,
        run: async (job) => {
          const progress = (text: string) => job.progress(text.slice(0, MAX_PROGRESS_LETTERS));
          await work({ signal: job.signal, progress });
          return {};
        },
      },
    );
    return attempt.isOurs;
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.#database.close();
  }
}

const WRITTEN = `conclusion = excluded.conclusion, found_at = excluded.found_at, sent_to = excluded.sent_to,
  is_reported = excluded.is_reported, changed_at = now()`;
