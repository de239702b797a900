/**
 * Lease of a job that a worker runs: renewed until its end, lost once the job is cancelled or another worker's. job-worker.ts and
 * `JobQueue.attempt` claim jobs by it.
 */
import { randomUUID } from "node:crypto";
import type PgBoss from "pg-boss";
import { errorFacts } from "../error-facts.ts";
import { pause } from "../retry.ts";
import type { Database } from "./database.ts";
import { isPassing, isUnreachable } from "./database-errors.ts";
import { getInputs } from "./job-inputs.ts";
import { sqlOf } from "./job-tables.ts";
import type { DatabaseLogger, Queries } from "./queries.ts";
import { isStorableText } from "./storable-text.ts";
import { whileAway } from "./while-away.ts";

/** Longest interval of renewals, and so of looking whether a job is cancelled. */
const MAX_RENEW_MS = 3_000;
/** Shortest interval of renewals, which also write the progress. */
const MIN_RENEW_MS = 500;

/** Reasons of a refused job that are nobody's fault. */
export const INPUTS_MISSING = "the job's inputs are missing";
export const INPUTS_INVALID = "the job's inputs are not those of its hash";

/** Thrown by a worker for a job that no attempt can do. */
export class JobRefusal extends Error {}

export interface RunningJob<Task, Progress> {
  readonly id: string;
  readonly task: Task;
  /** Aborted when the job is cancelled, taken over by another worker, or the worker closes. */
  readonly signal: AbortSignal;
  /** Result of an earlier attempt's `save`; null if there is none. Whoever may write to the queue can have written it. */
  readonly saved: unknown;
  /** Inputs of the job, which are those of their hash. @throws JobRefusal where they are not there */
  inputs(): Promise<Buffer>;
  /** Tells whoever asks for the job's state, within a second, how far it is. */
  progress(value: Progress): void;
  /** Stores what the next attempt need not do again, as JSON; durable when it resolves. @throws what aborted `signal` */
  save(value: unknown): Promise<void>;
}

export interface LeaseModules {
  readonly boss: PgBoss;
  readonly database: Database;
  readonly logger: DatabaseLogger;
  /** Wakes those who wait for the job's end. */
  readonly notify: (id: string) => Promise<void>;
}

export interface LeaseOptions {
  readonly queue: string;
  /** Time after which a silent worker loses its job. */
  readonly leaseMs: number;
  /** Aborted when the worker closes. */
  readonly stopping: AbortSignal;
}

export type JobEnding =
  | { readonly answer: unknown }
  | { readonly refused: string }
  | { readonly failed: string };

/** Data of a job: its task, the hash of its inputs, and what an attempt has saved. */
export interface JobData<Task> {
  readonly task: Task;
  readonly inputs: string | null;
  readonly saved?: unknown;
}

/**
 * Statement on pg-boss's own table that renews a lease. pg-boss gives a job to the next worker once `started_on + expire_in` is
 * over. The token, which only the worker has that claimed the job last, lies in `output`, which pg-boss does not use before the
 * job's end; progress lies beside it.
 */
const RENEW = `update job set started_on = now(), expire_in = $4 * interval '1 millisecond', output = $5
  where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3 returning id`;
const CLAIM = `update job set started_on = now(), expire_in = $4 * interval '1 millisecond', output = jsonb_build_object('lease', $3::text)
  where name = $1 and id = $2 and state = 'active' returning id`;
const HOLD = `select state from job where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3 for update`;
/** Puts a job back as if it had never begun, so that it costs no attempt. */
const GIVE_BACK = `update job set state = 'created', started_on = null, output = null
  where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3`;
const SAVE = `update job set data = jsonb_set(data, '{saved}', $4)
  where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3 returning id`;

export class JobLease {
  /** Aborted when the job is cancelled, taken over by another worker, or the worker closes. */
  readonly signal: AbortSignal;
  readonly #held: readonly [queue: string, id: string, token: string];
  readonly #options: LeaseOptions;
  readonly #modules: LeaseModules;
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  readonly #renewing: Promise<void>;
  #progress: unknown = null;
  /** Aborted when there is progress that no renewal has written. */
  #hasProgress = new AbortController();

  /**
   * Writes a token of its own into a job that the caller has just made active.
   * @returns null if it has been cancelled since
   */
  static async claim(id: string, options: LeaseOptions, modules: LeaseModules): Promise<JobLease | null> {
    const held = [options.queue, id, randomUUID()] as const;
    const claimed = await modules.database.query(CLAIM, [...held, options.leaseMs]);
    return claimed.length === 0 ? null : new JobLease(held, options, modules);
  }

  private constructor(
    held: readonly [queue: string, id: string, token: string],
    options: LeaseOptions,
    modules: LeaseModules,
  ) {
    this.#held = held;
    this.#options = options;
    this.#modules = modules;
    this.signal = AbortSignal.any([this.#lost.signal, options.stopping]);
    this.#renewing = this.#renew();
  }

  /** True once the job is another worker's, or cancelled. */
  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  /** The job for whoever does it. */
  running<Task>({ inputs, saved = null, task }: JobData<Task>): RunningJob<Task, unknown> {
    const { database } = this.#modules;
    return {
      id: this.#held[1],
      task,
      saved,
      signal: this.signal,
      progress: (value) => {
        this.#progress = value;
        this.#hasProgress.abort();
      },
      save: (value) => this.#save(value),
      async inputs() {
        const found = inputs === null ? null : await getInputs(database, inputs);
        if (found === null) throw new JobRefusal(INPUTS_MISSING);
        if (found === "invalid") throw new JobRefusal(INPUTS_INVALID);
        return found;
      },
    };
  }

  /** Ends the renewals. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#renewing;
  }

  /** Puts the job back, if it is still this worker's. */
  async giveBack(): Promise<void> {
    await this.#modules.database.query(GIVE_BACK, this.#held);
  }

  /** Writes the end of a job, if it is still this worker's; where the database is away, or has no room, once that has ended. */
  async settle(end: JobEnding): Promise<void> {
    const [queue, id] = this.#held;
    const { boss, database, logger, notify } = this.#modules;
    const { stopping } = this.#options;
    const write = (written: JobEnding) =>
      database.transaction(async (queries: Queries) => {
        if ((await queries.query(HOLD, this.#held)).length === 0) return;
        const db = sqlOf(queries);
        if ("failed" in written) await boss.fail(queue, id, { message: written.failed }, { db });
        else await boss.complete(queue, id, written, { db });
      });
    for (let written = end; ; ) {
      try {
        await write(written);
        await notify(id);
        return;
      } catch (error) {
        // What was worked out for hours waits for room on the disk, too.
        if (isPassing(error)) {
          if (stopping.aborted) return;
          await pause(1_000, stopping);
        } else {
          logger.warn({ err: errorFacts(error), jobId: id }, "the end of a job is not taken");
          if ("failed" in written) return;
          written = { failed: storable((error as Error).message) };
        }
      }
    }
  }

  #save(value: unknown): Promise<void> {
    return whileAway(this.signal, async () => {
      const saved = await this.#modules.database.query(SAVE, [...this.#held, JSON.stringify(value)]);
      if (saved.length > 0) return;
      this.#lose();
      this.signal.throwIfAborted();
    });
  }

  /** Renews until the end, and aborts the signal once the job is another's or cancelled. */
  async #renew(): Promise<void> {
    const { database, logger } = this.#modules;
    const { leaseMs } = this.#options;
    const ended = this.#ended.signal;
    const maxMs = Math.min(MAX_RENEW_MS, leaseMs / 3);
    const minMs = Math.min(MIN_RENEW_MS, maxMs);
    while (!ended.aborted) {
      await pause(minMs, ended);
      await pause(maxMs - minMs, ended, this.#hasProgress.signal);
      if (ended.aborted) return;
      this.#hasProgress = new AbortController();
      try {
        const output = JSON.stringify({ lease: this.#held[2], progress: this.#progress });
        const renewed = await database.query(RENEW, [...this.#held, leaseMs, output]);
        if (renewed.length > 0 || ended.aborted) continue;
        return this.#lose();
      } catch (error) {
        // Whether the job is still ours shows once the database is back.
        if (!isUnreachable(error))
          logger.warn({ err: errorFacts(error), jobId: this.#held[1] }, "a job is not renewed");
      }
    }
  }

  #lose(): void {
    this.#modules.logger.info(
      { jobId: this.#held[1] },
      "the job was cancelled, or another worker has taken it over",
    );
    this.#lost.abort(new Error("the job is no longer this worker's"));
  }
}

/** Text that PostgreSQL takes, also within JSON. */
export const storable = (text: string): string =>
  (isStorableText(text) ? text : JSON.stringify(text)).slice(0, 2_000);
