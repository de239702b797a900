/**
 * Queue of jobs between processes on any number of machines: pg-boss on PostgreSQL. A job has a key, and there is one of each key. Its
 * end stays for a week: whoever asks again under the same key finds it.
 *
 * pg-boss 10 keeps the jobs, their order, attempts and ends. Two things are done here: `work` of pg-boss ends a handler after the
 * time that a killed worker's job waits, so workers fetch for themselves (job-worker.ts) and renew what they have (job-lease.ts);
 * and ends are told by notices, with a slow poll behind them. A caller that knows which job it can do attempts that one.
 */
import PgBoss from "pg-boss";
import { z } from "zod";
import { errorFacts } from "../error-facts.ts";
import { processErrors } from "../error-table.ts";
import { pause } from "../retry.ts";
import type { Database } from "./database.ts";
import { isUnreachable } from "./database-errors.ts";
import { dropExpiredInputs, dropInputs, hashOf, type PackedInputs, putInputs } from "./job-inputs.ts";
import { type JobData, JobLease, type LeaseModules, type RunningJob } from "./job-lease.ts";
import { JOBS, sqlOf } from "./job-tables.ts";
import { type JobWorker, startJobWorker, type WorkOptions } from "./job-worker.ts";
import { type DatabaseConfig, openDatabase } from "./open-database.ts";
import type { DatabaseLogger } from "./queries.ts";
import { whileAway } from "./while-away.ts";

/** Attempts of a job. After the last failure whoever waits for it gets the error. */
export const MAX_ATTEMPTS = 3;
/** Time after which a worker that has not renewed its job loses it. */
const LEASE_MS = 20_000;
/** Interval at which jobs of lost workers are put back. */
const EXPIRE_MS = 5_000;
/** Life of ended jobs. */
const RETENTION_S = 7 * 86_400;
const CLEAN_MS = 600_000;
/** Interval at which whoever waits looks, where no notice comes. */
const RECHECK_MS = 5_000;
/** A server that has just started has heard of no worker yet. */
const GRACE_S = 10;
/** A worker says each five seconds that it is there. */
const PRESENT_S = 15;
/** Priority of jobs without one, after all others: PostgreSQL's smallest integer. */
const LAST_PRIORITY = 2 ** 31;
const MAX_CONNECTIONS = 4;
/** Number of the lock under which pg-boss's tables are made; any number that migrate.ts does not use. */
const TABLES_LOCK_ID = 6_580_112;
/** PostgreSQL's largest integer. */
const MAX_RETRIES = 2 ** 31 - 1;
/** Maximum size of what a worker writes to a job, as PostgreSQL stores it and as text: any worker may write more. */
const [MAX_OUTPUT_STORED_BYTES, MAX_OUTPUT_BYTES] = [128 * 1024, 1024 * 1024];
/** SQL of what was written to a job; null instead of what is too large for anybody to read. */
const OUTPUT = `case when pg_column_size(output) <= ${MAX_OUTPUT_STORED_BYTES}
  then case when octet_length(output::text) <= ${MAX_OUTPUT_BYTES} then output end end as output`;

/** A kind of jobs. Values are JSON; `task` and `answer` check what others have written. */
export interface JobKind<Task extends z.ZodType, Answer extends z.ZodType, Progress extends z.ZodType> {
  /** Name of the queue, in small letters. */
  readonly name: string;
  readonly task: Task;
  readonly answer: Answer;
  readonly progress: Progress;
  /** Attempts of a job, after which it has failed, with longer and longer pauses; `Infinity`: as many as it takes. Default: 3. */
  readonly maxAttempts?: number;
}

export type JobState<Answer, Progress> =
  | { readonly state: "waiting" }
  | { readonly state: "active"; readonly progress: Progress | null }
  | { readonly state: "completed"; readonly answer: Answer }
  /** The worker wrote what is no answer. */
  | { readonly state: "malformed" }
  /** The worker says that the job itself cannot be done; it was not tried again. */
  | { readonly state: "refused"; readonly reason: string }
  /** The last attempt failed. */
  | { readonly state: "failed"; readonly reason: string }
  | { readonly state: "cancelled" };

export type JobEnd<Answer> = Exclude<JobState<Answer, never>, { state: "waiting" | "active" }>;

/** Outcome of `JobQueue.attempt`. */
export type JobAttempt<Answer, Progress> =
  /** The job was run here; null: it has not ended, and goes on with the next attempt. */
  | { readonly isOurs: true; readonly answer: Answer | null }
  /** Another worker has it, or it has an end. */
  | { readonly isOurs: false; readonly state: JobState<Answer, Progress> };

interface AttemptOptions<Task, Answer, Progress> {
  /** @returns the answer that ends the job, or null to put it back; so does an error, which `attempt` throws */
  readonly run: (job: RunningJob<Task, Progress>) => Promise<Answer | null>;
  readonly signal: AbortSignal;
  /** True: a completed job begins anew, with what it has saved. Default: false. */
  readonly again?: boolean;
  /** Default: 20 s. */
  readonly leaseMs?: number;
}

export interface JobCounts {
  readonly workerCount: number;
  readonly waitingCount: number;
  readonly activeCount: number;
}

interface JobQueueOptions {
  readonly logger: DatabaseLogger;
  /** False for a worker's role, which may not make tables. Default: true. */
  readonly migrates?: boolean;
}

/** Data of a job, as pg-boss has it. */
const storedTask = z.strictObject({
  task: z.unknown(),
  inputs: z.string().nullable(),
  saved: z.unknown().optional(),
});
/** Output of a job that has ended; an active one has its lease there. */
const storedEnd = z.union([
  z.strictObject({ answer: z.unknown() }),
  z.strictObject({ refused: z.string().max(10_000) }),
]);
const storedFailure = z.object({ message: z.string() });
const storedProgress = z.object({ progress: z.unknown() });

export class JobQueue<
  Task extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
  Progress extends z.ZodType = z.ZodType,
> {
  readonly #database: Database;
  readonly #boss: PgBoss;
  readonly #kind: JobKind<Task, Answer, Progress>;
  readonly #logger: DatabaseLogger;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #workers = new Set<JobWorker>();
  #closing: Promise<void> | undefined;
  /** Waiters for the next notice of a job, by its id. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /**
   * Opens a queue, and makes its tables where they are missing.
   * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA, SRV_WRONG_DATABASE
   */
  static async open<Task extends z.ZodType, Answer extends z.ZodType, Progress extends z.ZodType>(
    config: DatabaseConfig,
    kind: JobKind<Task, Answer, Progress>,
    { logger, migrates = true }: JobQueueOptions,
  ): Promise<JobQueue<Task, Answer, Progress>> {
    const database = await openDatabase(config, {
      part: JOBS,
      // A job names its circuit, data or model by hash: any rollup's may wait here.
      rollup: null,
      logger,
      migrates,
      maxConnections: MAX_CONNECTIONS,
    });
    try {
      const boss = new PgBoss({
        db: sqlOf(database),
        schema: JOBS.name,
        migrate: migrates,
        schedule: false,
        supervise: false,
        archiveCompletedAfterSeconds: RETENTION_S,
        deleteAfterSeconds: 60,
      });
      boss.on("error", (error) => logger.warn({ err: errorFacts(error) }, "the queue of jobs"));
      const queue = new JobQueue(database, boss, kind, logger);
      await queue.#start(migrates);
      return queue;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  private constructor(
    database: Database,
    boss: PgBoss,
    kind: JobKind<Task, Answer, Progress>,
    logger: DatabaseLogger,
  ) {
    this.#database = database;
    this.#boss = boss;
    this.#kind = kind;
    this.#logger = logger;
  }

  async #start(migrates: boolean): Promise<void> {
    const { maxAttempts = MAX_ATTEMPTS, name } = this.#kind;
    // pg-boss says by an Error without a code that its tables are missing.
    const isInstalled = migrates || (await this.#boss.isInstalled());
    if (migrates)
      await this.#database.transaction(async ({ query }) => {
        // Of two processes that make pg-boss's tables at once one would be refused.
        await query("select pg_advisory_xact_lock($1)", [TABLES_LOCK_ID]);
        await this.#boss.start();
        await this.#boss.createQueue(name, {
          name,
          policy: "standard",
          retryLimit: Math.min(maxAttempts - 1, MAX_RETRIES),
          retryDelay: 1,
          // Its pauses double with each attempt.
          retryBackoff: maxAttempts < Number.POSITIVE_INFINITY,
          expireInSeconds: LEASE_MS / 1_000,
        });
      });
    else if (isInstalled) await this.#boss.start();
    if (!isInstalled || (await this.#boss.getQueue(name)) === null) {
      throw processErrors.raise(
        "SRV_DATABASE_SCHEMA",
        `the database has no queue ${name}: start the process first that puts jobs into it`,
        { data: { reason: "older", part: JOBS.name, queue: name } },
      );
    }
    this.#every(EXPIRE_MS, () => this.#expire());
    if (migrates) this.#every(CLEAN_MS, () => this.#clean());
    await this.#database.listen(`jobs_${name}`, (id) => {
      // After a lost connection any job may have ended.
      for (const ids of id === null ? [...this.#waiting.keys()] : [id])
        for (const wake of this.#waiting.get(ids) ?? []) wake();
    });
  }

  /**
   * Adds a job. One of this key that waits, runs or is completed stays as it is; a failed or cancelled one begins anew.
   * @param options.priority the smallest goes first; jobs without one go last
   */
  async send(
    key: string,
    task: z.input<Task>,
    { inputs, priority = LAST_PRIORITY }: { inputs?: PackedInputs; priority?: number } = {},
  ): Promise<void> {
    const { name } = this.#kind;
    const id = jobIdOf(key);
    this.#kind.task.parse(task);
    const data: z.input<typeof storedTask> = { task, inputs: inputs?.hash ?? null };
    await this.#database.transaction(async (queries) => {
      if (inputs !== undefined) await putInputs(queries, inputs);
      const db = sqlOf(queries);
      const [found] = await queries.query<{ state: string; output: unknown }>(
        `select state, ${OUTPUT} from job where name = $1 and id = $2 for update`,
        [name, id],
      );
      if (found !== undefined) {
        const isOver = found.state === "failed" || found.state === "cancelled" || isRefusal(found.output);
        if (!isOver) return;
        await this.#boss.deleteJob(name, id, { db });
      }
      await this.#boss.send(name, data, { id, priority: -priority, db });
    });
  }

  /** Keys without a job, and those whose job failed or was cancelled: `send` begins them anew. */
  async missing(keys: readonly string[]): Promise<string[]> {
    const found = await this.#database.query<{ id: string }>(
      "select id from job where name = $1 and id = any($2::uuid[]) and state < 'cancelled'",
      [this.#kind.name, keys.map(jobIdOf)],
    );
    const ids = new Set(found.map(({ id }) => id));
    return keys.filter((key) => !ids.has(jobIdOf(key)));
  }

  /** State of a job; null where there is none of the key. */
  async state(key: string): Promise<JobState<z.output<Answer>, z.output<Progress>> | null> {
    const [job] = await this.#database.query<{ state: string; output: unknown }>(
      `select state, ${OUTPUT} from job where name = $1 and id = $2`,
      [this.#kind.name, jobIdOf(key)],
    );
    if (job === undefined) return null;
    const { output, state } = job;
    if (state === "created" || state === "retry") return { state: "waiting" };
    if (state === "cancelled") return { state };
    if (state === "active") {
      const stored = storedProgress.safeParse(output);
      const progress = this.#kind.progress.safeParse(stored.data?.progress);
      return { state, progress: progress.success ? progress.data : null };
    }
    if (state === "failed") {
      const failure = storedFailure.safeParse(output);
      return { state, reason: failure.success ? failure.data.message : "no worker came to its end" };
    }
    const end = storedEnd.safeParse(output);
    if (!end.success) return { state: "malformed" };
    if ("refused" in end.data) return { state: "refused", reason: end.data.refused };
    const answer = this.#kind.answer.safeParse(end.data.answer);
    return answer.success ? { state: "completed", answer: answer.data } : { state: "malformed" };
  }

  /** Waits for the end of a job; null once there is none of the key. @throws what aborted the signal */
  async wait(
    key: string,
    { onProgress, signal }: { signal: AbortSignal; onProgress?: (progress: z.output<Progress>) => void },
  ): Promise<JobEnd<z.output<Answer>> | null> {
    const id = jobIdOf(key);
    for (;;) {
      const woken = new AbortController();
      const wake = () => woken.abort();
      const wakers = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, wakers.add(wake));
      try {
        const state = await whileAway(signal, () => this.state(key));
        if (state === null || (state.state !== "waiting" && state.state !== "active")) return state;
        if (state.state === "active" && state.progress !== null) onProgress?.(state.progress);
        await pause(RECHECK_MS, signal, woken.signal);
        signal.throwIfAborted();
      } finally {
        wakers.delete(wake);
        if (wakers.size === 0) this.#waiting.delete(id);
      }
    }
  }

  /** Cancels a job that has not ended; its worker notices within seconds. */
  async cancel(key: string): Promise<void> {
    await this.#boss.cancel(this.#kind.name, jobIdOf(key));
    await this.#notify(jobIdOf(key));
  }

  /** Deletes a job, in whatever state it is. */
  async remove(key: string): Promise<void> {
    await this.#boss.deleteJob(this.#kind.name, jobIdOf(key));
  }

  async dropInputs(hash: string): Promise<void> {
    await dropInputs(this.#database, hash);
  }

  async counts(): Promise<JobCounts> {
    const [counts] = await this.#database.query<Record<keyof JobCounts, number>>(
      `select
         (select count(*) from workers where queue = $1 and seen_at > now() - $2 * interval '1 second')::int as "workerCount",
         (count(*) filter (where state < 'active'))::int as "waitingCount",
         (count(*) filter (where state = 'active'))::int as "activeCount"
       from job where name = $1 and state <= 'active'`,
      [this.#kind.name, PRESENT_S],
    );
    return counts!;
  }

  /**
   * Runs the job of a key here and now, unless another worker has it: for callers that know which job they can do. Adds it where
   * it is missing; one that has ended without an answer begins anew, with what it has saved.
   * @throws what `run` throws; the job then waits for the next attempt. An error of one that has lost its job is nobody's
   */
  async attempt(
    key: string,
    task: z.input<Task>,
    options: AttemptOptions<z.output<Task>, z.input<Answer>, z.input<Progress>>,
  ): Promise<JobAttempt<z.output<Answer>, z.output<Progress>>> {
    const { again = false, leaseMs = LEASE_MS, run, signal } = options;
    const { name } = this.#kind;
    const id = jobIdOf(key);
    const data: z.input<typeof storedTask> = { task: this.#kind.task.parse(task), inputs: null };
    // One that is there stays as it is.
    await this.#boss.send(name, data, { id, priority: -LAST_PRIORITY });
    const [taken] = await this.#database.query<{ data: unknown }>(
      `update job set state = 'active', started_on = now(), completed_on = null, expire_in = $4 * interval '1 millisecond', output = null
       where name = $1 and id = $2 and state <> 'active' and ($3 or state <> 'completed' or output ? 'refused') returning data`,
      [name, id, again, leaseMs],
    );
    const lease =
      taken === undefined
        ? null
        : await JobLease.claim(id, { queue: name, leaseMs, stopping: signal }, this.#leaseModules);
    // Cancelled, or removed, in this moment.
    const others = async () =>
      ({ isOurs: false, state: (await this.state(key)) ?? { state: "cancelled" } }) as const;
    if (lease === null) return others();
    let answer: z.input<Answer> | null = null;
    try {
      answer = await run(lease.running(this.#parse(taken!.data)));
    } catch (error) {
      if (!lease.isLost) throw error;
    } finally {
      await lease.end();
      // Where the database is away, the lease runs out.
      if (answer === null) await lease.giveBack().catch(unlessAway);
    }
    if (lease.isLost) return others();
    if (answer === null) return { isOurs: true, answer: null };
    await lease.settle({ answer });
    return { isOurs: true, answer: this.#kind.answer.parse(answer) };
  }

  /** Takes jobs, and hands them to `options.run`. */
  work(
    options: Omit<WorkOptions<z.output<Task>, z.input<Answer>, z.input<Progress>>, "leaseMs"> & {
      /** Default: 20 s. */
      readonly leaseMs?: number;
    },
  ): JobWorker {
    const worker = startJobWorker(
      { queue: this.#kind.name, leaseMs: LEASE_MS, ...options },
      { ...this.#leaseModules, parse: (data) => this.#parse(data) },
    );
    this.#workers.add(worker);
    return worker;
  }

  get #leaseModules(): LeaseModules {
    return {
      boss: this.#boss,
      database: this.#database,
      logger: this.#logger,
      notify: (id) => this.#notify(id),
    };
  }

  /** @throws for data that are no task */
  #parse(data: unknown): JobData<z.output<Task>> {
    const { inputs, saved, task } = storedTask.parse(data);
    return { inputs, saved, task: this.#kind.task.parse(task) };
  }

  /** Ends its workers, which give back what they have, and the connections. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    await this.#database.close();
  }

  #every(intervalMs: number, work: () => Promise<void>): void {
    const timer = setInterval(() => {
      work().catch((error: unknown) => {
        if (!isUnreachable(error)) this.#logger.warn({ err: errorFacts(error) }, "the queue of jobs");
      });
    }, intervalMs).unref();
    this.#timers.push(timer);
  }

  /** Puts jobs back whose workers have not renewed them in time. */
  async #expire(): Promise<void> {
    const [server] = await this.#database.query<{ young: boolean }>(
      "select pg_postmaster_start_time() > now() - $1 * interval '1 second' as young",
      [GRACE_S],
    );
    if (!server!.young) await this.#boss.expire();
  }

  async #clean(): Promise<void> {
    await this.#boss.maintain();
    await dropExpiredInputs(this.#database);
    await this.#database.query("delete from workers where seen_at < now() - interval '1 day'");
  }

  async #notify(id: string): Promise<void> {
    await this.#database.query("select pg_notify($1, $2)", [`jobs_${this.#kind.name}`, id]);
  }
}

const unlessAway = (error: unknown) => {
  if (!isUnreachable(error)) throw error;
};

/** Id of the job of a key: pg-boss' are UUIDs. */
function jobIdOf(key: string): string {
  const hex = hashOf(key);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

const isRefusal = (output: unknown): boolean => {
  const end = storedEnd.safeParse(output);
  return end.success && "refused" in end.data;
};
