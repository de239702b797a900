/** Worker of a queue of jobs: takes some, renews them while it works, and writes their ends. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type PgBoss from "pg-boss";
import type { Database } from "./database.ts";
import { isPassing, isUnreachable } from "./database-errors.ts";
import { getInputs } from "./job-inputs.ts";
import { sqlOf } from "./job-tables.ts";
import type { DatabaseLogger, Queries } from "./queries.ts";
import { isStorableText } from "./storable-text.ts";

/** Interval at which a worker without a job looks for one. */
const LOOK_MS = 500;
/** Longest interval of renewals, and so of looking whether a job is cancelled. */
const MAX_RENEW_MS = 3_000;
const PRESENT_MS = 5_000;

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
  /** Inputs of the job, which are those of their hash. @throws JobRefusal where they are not there */
  inputs(): Promise<Buffer>;
  /** Tells whoever waits, within seconds, how far the job is. */
  progress(value: Progress): void;
}

export interface WorkOptions<Task, Answer, Progress> {
  /** Name of the worker, for counts and logs. */
  readonly name: string;
  /** Jobs at once. Default: 1. */
  readonly concurrency?: number;
  /** Time after which a silent worker loses its job. */
  readonly leaseMs: number;
  readonly run: (job: RunningJob<Task, Progress>) => Promise<Answer>;
  /** Called for each failed attempt. */
  readonly onFailed?: (error: unknown, job: { readonly id: string }) => void;
}

export interface JobWorker {
  /** Gives running jobs back to the queue, and ends. */
  close(): Promise<void>;
}

interface WorkerModules<Task> {
  readonly boss: PgBoss;
  readonly database: Database;
  readonly logger: DatabaseLogger;
  readonly notify: (id: string) => Promise<void>;
  /** @throws for data that are no task */
  readonly parse: (data: unknown) => { readonly task: Task; readonly inputs: string | null };
}

/**
 * Lease of a job: the statement on pg-boss's own table that renews it. pg-boss gives a job to the next worker once `started_on +
 * expire_in` is over. The token, which only the worker has that claimed the job last, lies in `output`, which pg-boss does not
 * use before the job's end; progress lies beside it.
 */
const RENEW = `update job set started_on = now(), expire_in = $4 * interval '1 millisecond', output = $5
  where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3 returning id`;
const CLAIM = `update job set started_on = now(), expire_in = $4 * interval '1 millisecond', output = jsonb_build_object('lease', $3::text)
  where name = $1 and id = $2 and state = 'active' returning id`;
const HOLD = `select state from job where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3 for update`;
/** Puts a job back as if it had never begun, so that it costs no attempt. */
const GIVE_BACK = `update job set state = 'created', started_on = null, output = null
  where name = $1 and id = $2 and state = 'active' and output->>'lease' = $3`;

type End = { readonly answer: unknown } | { readonly refused: string } | { readonly failed: string };

export function startJobWorker<Task, Answer, Progress>(
  options: WorkOptions<Task, Answer, Progress> & { readonly queue: string },
  modules: WorkerModules<Task>,
): JobWorker {
  const { concurrency = 1, leaseMs, name, queue, run } = options;
  const { boss, database, logger, notify, parse } = modules;
  const stopping = new AbortController();
  const workerId = randomUUID();

  const sayPresent = () =>
    database.query(
      `insert into workers values ($1, $2, $3, now()) on conflict (id) do update set seen_at = now()`,
      [workerId, queue, name],
    );
  const presence = setInterval(() => void sayPresent().catch(() => {}), PRESENT_MS);
  const present = sayPresent().catch(() => {});

  /** Renews until `ended`, and aborts `lost` once the job is another's or cancelled. */
  async function renew(
    held: readonly [queue: string, id: string, token: string],
    shown: { progress: unknown },
    lost: AbortController,
    ended: AbortSignal,
  ): Promise<void> {
    const everyMs = Math.min(MAX_RENEW_MS, leaseMs / 3);
    while (!ended.aborted) {
      await delay(everyMs, undefined, { signal: ended }).catch(() => {});
      if (ended.aborted) return;
      try {
        const output = JSON.stringify({ lease: held[2], progress: shown.progress });
        const renewed = await database.query(RENEW, [...held, leaseMs, output]);
        if (renewed.length > 0 || ended.aborted) continue;
        logger.info({ jobId: held[1] }, "the job was cancelled, or another worker has taken it over");
        return lost.abort();
      } catch (error) {
        // Whether the job is still ours shows once the database is back.
        if (!isUnreachable(error)) logger.warn({ err: error, jobId: held[1] }, "a job is not renewed");
      }
    }
  }

  async function outcome(
    { data, id }: PgBoss.Job,
    signal: AbortSignal,
    onProgress: (value: unknown) => void,
  ): Promise<End> {
    try {
      const { inputs, task } = parse(data);
      const answer = await run({
        id,
        task,
        signal,
        progress: onProgress,
        async inputs() {
          const found = inputs === null ? null : await getInputs(database, inputs);
          if (found === null) throw new JobRefusal(INPUTS_MISSING);
          if (found === "invalid") throw new JobRefusal(INPUTS_INVALID);
          return found;
        },
      });
      return { answer };
    } catch (error) {
      if (error instanceof JobRefusal) return { refused: error.message };
      if (!signal.aborted) options.onFailed?.(error, { id });
      return { failed: storable(error instanceof Error ? error.message : String(error)) };
    }
  }

  /** Writes the end of a job, if it is still this worker's. */
  async function settle(held: readonly [string, string, string], end: End): Promise<void> {
    const [, id] = held;
    const write = (written: End) =>
      database.transaction(async (queries: Queries) => {
        if ((await queries.query(HOLD, held)).length === 0) return;
        const db = sqlOf(queries);
        if ("failed" in written) await boss.fail(queue, id, { message: written.failed }, { db });
        else await boss.complete(queue, id, written, { db });
      });
    for (;;) {
      try {
        await write(end);
        await notify(id);
        return;
      } catch (error) {
        // What was worked out for hours waits for room on the disk, too.
        if (isPassing(error)) {
          if (stopping.signal.aborted) return;
          await delay(1_000, undefined, { signal: stopping.signal }).catch(() => {});
        } else {
          logger.warn({ err: error, jobId: id }, "the end of a job is not taken");
          if ("failed" in end) return;
          end = { failed: storable((error as Error).message) };
        }
      }
    }
  }

  async function take(job: PgBoss.Job): Promise<void> {
    const held = [queue, job.id, randomUUID()] as const;
    if ((await database.query(CLAIM, [...held, leaseMs])).length === 0) return;
    const lost = new AbortController();
    const ended = new AbortController();
    const shown: { progress: unknown } = { progress: null };
    const renewing = renew(held, shown, lost, ended.signal);
    const signal = AbortSignal.any([lost.signal, stopping.signal]);
    const end = await outcome(job, signal, (value) => {
      shown.progress = value;
    });
    ended.abort();
    await renewing;
    if (lost.signal.aborted) return;
    if (stopping.signal.aborted && "failed" in end) await database.query(GIVE_BACK, held);
    else await settle(held, end);
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        // pg-boss takes a lost connection for an empty queue.
        const [job] = await boss.fetch<object>(queue, { batchSize: 1 });
        if (job !== undefined) {
          await take(job);
          continue;
        }
      } catch (error) {
        if (!isUnreachable(error)) logger.warn({ err: error }, "a job is left to the next worker");
      }
      await delay(LOOK_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const working = Array.from({ length: concurrency }, work);
  let closing: Promise<void> | undefined;
  const close = async () => {
    stopping.abort();
    clearInterval(presence);
    await Promise.all([...working, present]);
    await database.query("delete from workers where id = $1", [workerId]).catch(() => {});
  };
  return { close: () => (closing ??= close()) };
}

/** Text that PostgreSQL takes, also within JSON. */
const storable = (text: string): string =>
  (isStorableText(text) ? text : JSON.stringify(text)).slice(0, 2_000);
