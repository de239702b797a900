/** Worker's side of a queue of jobs (job-queue.ts): takes jobs, renews them while it works, and writes their ends. */
import { randomUUID } from "node:crypto";
import type PgBoss from "pg-boss";
import { errorFacts } from "../error-facts.ts";
import { pause } from "../retry.ts";
import { isUnreachable } from "./database-errors.ts";
import {
  type JobData,
  type JobEnding,
  JobLease,
  JobRefusal,
  type LeaseModules,
  type RunningJob,
  storable,
} from "./job-lease.ts";

/** Interval at which a worker without a job looks for one. */
const LOOK_MS = 500;
const PRESENT_MS = 5_000;

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

interface WorkerModules<Task> extends LeaseModules {
  /** @throws for data that are no task */
  readonly parse: (data: unknown) => JobData<Task>;
}

export function startJobWorker<Task, Answer, Progress>(
  options: WorkOptions<Task, Answer, Progress> & { readonly queue: string },
  modules: WorkerModules<Task>,
): JobWorker {
  const { concurrency = 1, leaseMs, name, queue, run } = options;
  const { boss, database, logger, parse } = modules;
  const stopping = new AbortController();
  const workerId = randomUUID();

  const sayPresent = () =>
    database.query(
      `insert into workers values ($1, $2, $3, now()) on conflict (id) do update set seen_at = now()`,
      [workerId, queue, name],
    );
  const presence = setInterval(() => void sayPresent().catch(() => {}), PRESENT_MS);
  const present = sayPresent().catch(() => {});

  async function outcome({ data, id }: PgBoss.Job, lease: JobLease): Promise<JobEnding> {
    try {
      return { answer: await run(lease.running(parse(data))) };
    } catch (error) {
      if (error instanceof JobRefusal) return { refused: error.message };
      if (!lease.signal.aborted) options.onFailed?.(error, { id });
      return { failed: storable(error instanceof Error ? error.message : String(error)) };
    }
  }

  async function take(job: PgBoss.Job): Promise<void> {
    const lease = await JobLease.claim(job.id, { queue, leaseMs, stopping: stopping.signal }, modules);
    if (lease === null) return;
    const end = await outcome(job, lease);
    await lease.end();
    if (lease.isLost) return;
    if (stopping.signal.aborted && "failed" in end) await lease.giveBack();
    else await lease.settle(end);
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
        if (!isUnreachable(error))
          logger.warn({ err: errorFacts(error) }, "a job is left to the next worker");
      }
      await pause(LOOK_MS, stopping.signal);
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
