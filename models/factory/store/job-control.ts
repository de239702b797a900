/**
 * Control of the factory's jobs by their accounts: add, pause, resume, stop and delete. Routes call these verbs; workers on any
 * machine take what is queued (worker/).
 */
import { counted } from "@openledger/foundation/counted";
import type { Database, Queries } from "@openledger/foundation/database/database";
import { isUnreachable } from "@openledger/foundation/database/database-errors";
import type { Logger } from "@openledger/foundation/logger";
import { factoryError } from "../../model-errors.ts";
import type { FactoryJob } from "../factory-api.ts";
import type { NewJob, StoredJob } from "./factory-records.ts";
import { type JobStore, stateChange } from "./job-store.ts";
import { missingRuns, removeRun, sendRun, type TicketQueues, trainingOf } from "./job-tickets.ts";

/** Namespace of the advisory lock under which an account adds a job. */
const ACCOUNT_LOCK = 7_301_946;
/** Interval at which jobs are put into their queues that a server was killed before it put there. */
const RESEND_MS = 10_000;

const isHeld = ({ state }: Pick<FactoryJob, "state">): boolean =>
  state === "running" || state === "pausing" || state === "stopping";

interface Modules {
  readonly database: Database;
  readonly queues: TicketQueues;
  readonly maxJobsPerAccount: number;
  readonly log: Logger;
}

export class JobControl {
  readonly #jobs: JobStore;
  readonly #modules: Modules;
  #timer: NodeJS.Timeout | undefined;
  #resending: Promise<void> = Promise.resolve();

  constructor(jobs: JobStore, modules: Modules) {
    this.#jobs = jobs;
    this.#modules = modules;
  }

  start(): void {
    const resend = () => {
      this.#resending = this.#resend().catch((error: unknown) => {
        if (!isUnreachable(error))
          this.#modules.log.warn({ err: error }, "jobs are not put into their queue");
      });
    };
    resend();
    this.#timer = setInterval(resend, RESEND_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#resending;
  }

  /** Jobs as their accounts see them. */
  async views(jobs: readonly StoredJob[]): Promise<FactoryJob[]> {
    const isQueued = jobs.some(({ view }) => view.state === "queued");
    const { ids, runningCount } = isQueued ? await this.#queue() : { ids: [], runningCount: 0 };
    return jobs.map(({ view }) => {
      const ahead = view.state === "queued" ? ids.indexOf(view.id) : -1;
      return { ...view, queuedBefore: ahead < 0 ? 0 : ahead + runningCount };
    });
  }

  async view(job: StoredJob): Promise<FactoryJob> {
    const [view] = await this.views([job]);
    return view!;
  }

  /** Jobs that a new one would wait for. */
  async queuedBeforeNext(): Promise<number> {
    const [row] = await this.#modules.database.query<{ count: number }>(
      "select count(*)::int as count from jobs where state in ('queued', 'running', 'pausing', 'stopping')",
    );
    return row!.count;
  }

  /** @throws SRV_QUOTA_USED */
  async add(job: NewJob): Promise<StoredJob> {
    const { leafId } = job.view;
    const max = this.#modules.maxJobsPerAccount;
    const added = await this.#jobs.add(job, async (queries) => {
      await queries.query("select pg_advisory_xact_lock($1, $2)", [ACCOUNT_LOCK, leafId]);
      const [own] = await queries.query<{ count: number }>(
        "select count(*)::int as count from jobs where leaf_id = $1",
        [leafId],
      );
      if (own!.count >= max)
        throw factoryError("SRV_QUOTA_USED", `leaf ${leafId} has ${counted(own!.count, "job")}`, {
          data: { reason: "jobs-full", what: "jobs", max },
        });
      return nextTurn(queries, leafId);
    });
    await this.#send(added);
    return added;
  }

  /** @throws MOD_FACTORY_JOB_STATE */
  async pause({ view: { id } }: StoredJob): Promise<StoredJob> {
    const paused = await this.#jobs.change(id, ({ view }) => {
      if (view.state === "queued") return stateChange("paused");
      if (view.state !== "running") throw wrongState(view, "be paused");
      return stateChange("pausing");
    });
    if (paused.view.state === "paused") await removeRun(this.#modules.queues.trainings, trainingOf(paused));
    return paused;
  }

  /** Queues a paused or failed job again. @throws MOD_FACTORY_JOB_STATE */
  resume({ view: { id } }: StoredJob): Promise<StoredJob> {
    return this.#enqueue(id, ({ view }) => {
      if (view.state !== "paused" && view.state !== "failed") throw wrongState(view, "be resumed");
      return "queued";
    });
  }

  /** Stops a job early: its present state becomes the model. @throws MOD_FACTORY_JOB_STATE */
  stop({ view: { id } }: StoredJob): Promise<StoredJob> {
    return this.#enqueue(
      id,
      ({ view }) => {
        if (view.state === "running") return "stopping";
        if ((view.state !== "paused" && view.state !== "queued") || view.step === 0)
          throw wrongState(view, "be stopped early");
        return "queued";
      },
      { isStopWished: true },
    );
  }

  /** Gives a job the state of `check`, and one that was not queued the account's next turn. */
  async #enqueue(
    id: string,
    check: (job: StoredJob) => "queued" | "stopping",
    change: Pick<Partial<StoredJob>, "isStopWished"> = {},
  ): Promise<StoredJob> {
    const changed = await this.#jobs.change(id, async (job, queries) => {
      const state = check(job);
      if (state === "stopping" || job.view.state === "queued") return stateChange(state, { job: change });
      const turn = await nextTurn(queries, job.view.leafId);
      return stateChange(state, { job: { ...change, turn, run: job.run + 1, silentStarts: 0 } });
    });
    if (changed.view.state === "queued") await this.#send(changed);
    return changed;
  }

  /** @throws MOD_FACTORY_JOB_STATE while it runs, is served, or its activation is proven */
  async delete({ view: { id } }: StoredJob): Promise<void> {
    const inUse = (what: string) =>
      factoryError("MOD_FACTORY_JOB_STATE", what, { data: { reason: "in-use" } });
    const deleted = await this.#jobs.delete(id, ({ registration, view }) => {
      if (isHeld(view)) throw inUse(`job ${id} runs: pause it first`);
      if (registration.state === "proving") throw inUse(`the activation of job ${id} is being proven`);
      if (view.isServed) throw inUse(`the model of job ${id} is served`);
    });
    await removeRun(this.#modules.queues.trainings, trainingOf(deleted));
  }

  /** Ids of queued jobs in their order, and how many run where no worker is free. */
  async #queue(): Promise<{ ids: string[]; runningCount: number }> {
    const { database, queues } = this.#modules;
    const open = await database.query<{ id: string; state: FactoryJob["state"] }>(
      "select id, state from jobs where state in ('queued', 'running', 'pausing', 'stopping') order by turn, number",
    );
    const ids = open.filter(({ state }) => state === "queued").map(({ id }) => id);
    const runningCount = open.length - ids.length;
    const { workerCount } = await queues.trainings.counts();
    return { ids, runningCount: runningCount >= workerCount ? runningCount : 0 };
  }

  #send(job: StoredJob): Promise<void> {
    return sendRun(this.#modules.queues.trainings, trainingOf(job), job.turn);
  }

  async #resend(): Promise<void> {
    const { database, queues } = this.#modules;
    const open = await database.query<{ jobId: string; run: number; turn: number }>(
      `select id as "jobId", run, turn from jobs where state in ('queued', 'running', 'pausing', 'stopping') order by turn`,
    );
    for (const run of await missingRuns(queues.trainings, open))
      await sendRun(queues.trainings, run, run.turn);
    const proving = await database.query<{ jobId: string; run: number }>(
      `select id as "jobId", proof_run as run from jobs where is_proving`,
    );
    for (const run of await missingRuns(queues.activations, proving)) await sendRun(queues.activations, run);
  }
}

/** Place of an account's next job in the queue: behind its own ones, and with the others' that wait for as long. */
async function nextTurn(queries: Queries, leafId: number): Promise<number> {
  const [row] = await queries.query<{ turn: number }>(
    `insert into turns (leaf_id, turn) select $1, greatest(turn, 1) from clock
       on conflict (leaf_id) do update set turn = greatest(turns.turn + 1, excluded.turn) returning turn`,
    [leafId],
  );
  return row!.turn;
}

function wrongState({ id, state }: StoredJob["view"], what: string) {
  return factoryError("MOD_FACTORY_JOB_STATE", `job ${id} is ${state}, and cannot ${what}`, {
    data: { id, state },
  });
}
