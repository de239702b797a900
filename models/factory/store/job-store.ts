/**
 * Jobs of the factory in the database, with numbered events for their followers (times in Unix milliseconds). Servers and workers
 * change jobs, routes read and follow them: a change and its events are committed together, then told to all servers.
 */
import type { Database, Queries } from "@openledger/foundation/database/database";
import { isUnreachable, sqlStateOf } from "@openledger/foundation/database/database-errors";
import type { Logger } from "@openledger/foundation/logger";
import { factoryError } from "../../model-errors.ts";
import { type FactoryJob, type JobEvent, jobStateSchema, type NewJobEvent } from "../factory-api.ts";
import type { NewJob, StoredJob } from "./factory-records.ts";

/** Changes of a job, and their events. */
export interface JobChange {
  readonly job?: Partial<Omit<StoredJob, "view">>;
  readonly view?: Partial<StoredJob["view"]>;
  readonly events?: readonly NewJobEvent[];
}

/** The change of a job as it is now; null: none. It may be asked twice, so it has no effects of its own. */
type Decide = (job: StoredJob, queries: Queries) => JobChange | null | Promise<JobChange | null>;

type JobListener = (event: JobEvent) => void;

interface Follower {
  /** Number of the last event that it was told. */
  last: number;
  readonly listener: JobListener;
}

/** Followers of a job in this process. */
interface Feed {
  readonly followers: Set<Follower>;
  isWoken: boolean;
  reading: Promise<void> | null;
}

/** A job that changed; `id` is null where notices may have been lost. */
interface JobNotice {
  readonly id: string | null;
  readonly state: FactoryJob["state"] | null;
}

interface JobRow {
  readonly view: string;
  readonly recipe: string;
  readonly size: string | null;
  readonly registration: string;
  readonly is_stop_wished: boolean;
  readonly said_step: number;
  readonly seconds_before: number;
  readonly turn: number;
  readonly run: number;
  readonly holder: string | null;
  readonly silent_starts: number;
  readonly proof_run: number;
  readonly proof_holder: string | null;
  readonly proof_starts: number;
}

/** Columns of fields that are stored as they are. */
const COLUMNS = {
  isStopWished: "is_stop_wished",
  saidStep: "said_step",
  secondsBefore: "seconds_before",
  turn: "turn",
  run: "run",
  holder: "holder",
  silentStarts: "silent_starts",
  proofRun: "proof_run",
  proofHolder: "proof_holder",
  proofStarts: "proof_starts",
} as const satisfies Partial<Record<keyof StoredJob, keyof JobRow>>;

const CHANNEL = "factory_jobs";
const FOREIGN_KEY = "23503";
/** Events that one statement reads. */
const EVENTS_AT_ONCE = 1_000;
/** Interval at which followers look, where no notice comes. */
const RECHECK_MS = 5_000;

export class JobStore {
  readonly #database: Database;
  readonly #nowMs: () => number;
  readonly #logger: Logger;
  /** Called with each notice. */
  readonly #listeners = new Set<(notice: JobNotice) => void>();
  readonly #feeds = new Map<string, Feed>();
  #unlisten: (() => Promise<void>) | null = null;
  #recheck: NodeJS.Timeout | undefined;

  constructor(database: Database, { logger, nowMs }: { logger: Logger; nowMs: () => number }) {
    this.#database = database;
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  /** Hears from now on what changes, whichever process changes it. */
  async open(): Promise<void> {
    this.#unlisten = await this.#database.listen(CHANNEL, (payload) => {
      const [id = null, state = null] = payload?.split(" ") ?? [];
      const notice = { id, state: jobStateSchema.safeParse(state).data ?? null };
      for (const listener of this.#listeners) listener(notice);
      this.#wakeFeeds(id);
    });
    this.#recheck = setInterval(() => this.#wakeFeeds(null), RECHECK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#recheck);
    await this.#unlisten?.();
  }

  /** @param id null: any job may have changed */
  #wakeFeeds(id: string | null): void {
    for (const [jobId, feed] of this.#feeds) if (id === null || id === jobId) this.#wake(jobId, feed);
  }

  /** Calls back for each job that changes, and with `id` null where some may have been missed. @returns a function that ends it */
  listen(listener: (notice: JobNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @throws MOD_FACTORY_UNKNOWN if it was deleted meanwhile */
  async get(id: string): Promise<StoredJob> {
    const job = await read(this.#database, id);
    if (job === null) throw unknown(id);
    return job;
  }

  /** @throws MOD_FACTORY_UNKNOWN, for another account's too */
  async require(id: string, leafId: number): Promise<StoredJob> {
    const job = await read(this.#database, id);
    if (job !== null && job.view.leafId === leafId) return job;
    throw factoryError("MOD_FACTORY_UNKNOWN", `there is no job ${id} of leaf ${leafId}`, {
      data: { kind: "job", id },
    });
  }

  /** Jobs of an account, the newest first. */
  async ofAccount(leafId: number): Promise<StoredJob[]> {
    const rows = await this.#database.query<JobRow>(
      "select * from jobs where leaf_id = $1 order by number desc",
      [leafId],
    );
    return rows.map(jobOf);
  }

  /** Jobs whose model is served, in the order in which they came. */
  async served(): Promise<StoredJob[]> {
    const rows = await this.#database.query<JobRow>(
      "select * from jobs where is_served and model_id is not null order by number",
    );
    return rows.map(jobOf);
  }

  /** Number of jobs by their state. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.query<{ state: string; count: number }>(
      "select state, count(*)::int as count from jobs group by state",
    );
    return new Map(rows.map(({ count, state }) => [state, count]));
  }

  /**
   * Adds a job with its first event.
   * @param turnOf its place in the queue, in the same transaction; it may refuse
   */
  async add(
    { recipe, registration, size, view }: NewJob,
    turnOf: (queries: Queries) => Promise<number>,
  ): Promise<StoredJob> {
    const { baseId, datasetId, id, leafId, state } = view;
    try {
      return await this.#database.transaction(async (queries) => {
        const turn = await turnOf(queries);
        const event = {
          kind: "state",
          state,
          failure: null,
          number: 1,
          atMs: this.#nowMs(),
        } satisfies JobEvent;
        const added = { ...view, lastEvent: 1 };
        const [row] = await queries.query<JobRow>(
          `insert into jobs (id, leaf_id, dataset_id, base_id, state, view, recipe, size, turn, registration)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *`,
          [
            id,
            leafId,
            datasetId,
            baseId,
            state,
            JSON.stringify(added),
            JSON.stringify(recipe),
            size === null ? null : JSON.stringify(size),
            turn,
            JSON.stringify(registration),
          ],
        );
        await queries.query("insert into events values ($1, $2, $3)", [id, 1, JSON.stringify(event)]);
        return jobOf(row!);
      });
    } catch (error) {
      if (sqlStateOf(error) !== FOREIGN_KEY) throw error;
      throw factoryError("MOD_FACTORY_UNKNOWN", `the data set ${datasetId} was deleted`, {
        data: { kind: "dataset", id: datasetId },
        cause: error,
      });
    }
  }

  /**
   * Changes a job as `decide` says, which sees it as it is now. Committed when it resolves.
   * @throws MOD_FACTORY_UNKNOWN, and what `decide` throws: nothing has changed then
   */
  change(id: string, decide: Decide): Promise<StoredJob> {
    return this.#database.transaction(async (queries) => {
      const before = await read(queries, id, "for update");
      if (before === null) throw unknown(id);
      const change = await decide(before, queries);
      if (change === null) return before;
      const { events = [], job = {}, view = {} } = change;
      const atMs = this.#nowMs();
      const first = before.view.lastEvent + 1;
      const numbered = events.map((event, i) => ({ ...event, number: first + i, atMs }) as JobEvent);
      const lastEvent = before.view.lastEvent + events.length;
      const after: StoredJob = { ...before, ...job, view: { ...before.view, ...view, lastEvent } };
      await write(queries, after, job);
      await queries.query(
        "insert into events select $1, number, event from unnest($2::int[], $3::text[]) as part (number, event)",
        [id, numbered.map(({ number }) => number), numbered.map((event) => JSON.stringify(event))],
      );
      await queries.query("select pg_notify($1, $2)", [CHANNEL, `${id} ${after.view.state}`]);
      return after;
    });
  }

  /** Deletes a job with all that it made, unless `check` refuses. */
  async delete(id: string, check: (job: StoredJob) => void): Promise<StoredJob> {
    return this.#database.transaction(async (queries) => {
      const job = await read(queries, id, "for update");
      if (job === null) throw unknown(id);
      check(job);
      await queries.query("delete from jobs where id = $1", [id]);
      return job;
    });
  }

  /** Events after number `after`: those that are there first, then what comes, without a gap. @returns a function that ends it */
  async follow(id: string, after: number, listener: JobListener): Promise<() => void> {
    const follower: Follower = { last: after, listener };
    let isMore = true;
    while (isMore) isMore = await this.#tell(id, [follower]);
    const feed = this.#feeds.get(id) ?? { followers: new Set(), isWoken: false, reading: null };
    this.#feeds.set(id, feed);
    feed.followers.add(follower);
    // What came in between.
    this.#wake(id, feed);
    return () => {
      feed.followers.delete(follower);
      if (feed.followers.size === 0 && this.#feeds.get(id) === feed) this.#feeds.delete(id);
    };
  }

  /** Reads on once for all followers of a job: a step costs one query, however many streams there are. */
  #wake(id: string, feed: Feed): void {
    feed.isWoken = true;
    const readOn = async () => {
      while (feed.isWoken && feed.followers.size > 0) {
        feed.isWoken = false;
        if (await this.#tell(id, [...feed.followers])) feed.isWoken = true;
      }
    };
    feed.reading ??= readOn()
      .catch((error: unknown) => {
        // The next look reads what is missing.
        if (!isUnreachable(error)) this.#logger.error({ err: error, job: id }, "events cannot be read");
      })
      .finally(() => {
        feed.reading = null;
        // Woken after the last read.
        if (feed.isWoken && feed.followers.size > 0) this.#wake(id, feed);
      });
  }

  /** @returns true where there may be more */
  async #tell(id: string, followers: readonly Follower[]): Promise<boolean> {
    const rows = await this.#database.query<{ number: number; event: string }>(
      "select number, event from events where job_id = $1 and number > $2 order by number limit $3",
      [id, Math.min(...followers.map(({ last }) => last)), EVENTS_AT_ONCE],
    );
    for (const row of rows) {
      const event = JSON.parse(row.event) as JobEvent;
      for (const follower of followers) {
        if (row.number <= follower.last) continue;
        follower.last = row.number;
        follower.listener(event);
      }
    }
    return rows.length === EVENTS_AT_ONCE;
  }
}

/** A job's new state, with an event that names it. */
export function stateChange(state: FactoryJob["state"], change: JobChange = {}): JobChange {
  const failure = change.view?.failure ?? null;
  return {
    ...change,
    view: { ...change.view, state, failure },
    events: [...(change.events ?? []), { kind: "state", state, failure }],
  };
}

async function read(queries: Queries, id: string, lock: "" | "for update" = ""): Promise<StoredJob | null> {
  const [row] = await queries.query<JobRow>(`select * from jobs where id = $1 ${lock}`, [id]);
  return row === undefined ? null : jobOf(row);
}

/** Writes what is new: PostgreSQL stores each large value again that a statement names. */
async function write(
  queries: Queries,
  { recipe, registration, view, ...job }: StoredJob,
  changed: Partial<StoredJob>,
): Promise<void> {
  const values: [column: string, value: string | number | boolean | null][] = [
    ["view", JSON.stringify(view)],
    ["state", view.state],
    ["model_id", view.modelId],
    ["is_served", view.isServed],
  ];
  if (changed.recipe !== undefined) values.push(["recipe", JSON.stringify(recipe)]);
  if (changed.registration !== undefined)
    values.push(
      ["registration", JSON.stringify(registration)],
      ["is_proving", registration.state === "proving"],
    );
  for (const [field, column] of Object.entries(COLUMNS))
    if (field in changed) values.push([column, job[field as keyof typeof COLUMNS]]);
  const positions = values.map(([column], i) => `${column} = $${i + 2}`).join(", ");
  await queries.query(`update jobs set ${positions} where id = $1`, [
    view.id,
    ...values.map(([, value]) => value),
  ]);
}

const jobOf = (row: JobRow): StoredJob => ({
  view: JSON.parse(row.view) as StoredJob["view"],
  recipe: JSON.parse(row.recipe) as StoredJob["recipe"],
  size: row.size === null ? null : (JSON.parse(row.size) as StoredJob["size"]),
  registration: JSON.parse(row.registration) as StoredJob["registration"],
  isStopWished: row.is_stop_wished,
  saidStep: row.said_step,
  secondsBefore: row.seconds_before,
  turn: row.turn,
  run: row.run,
  holder: row.holder,
  silentStarts: row.silent_starts,
  proofRun: row.proof_run,
  proofHolder: row.proof_holder,
  proofStarts: row.proof_starts,
});

const unknown = (id: string) =>
  factoryError("MOD_FACTORY_UNKNOWN", `there is no job ${id}`, { data: { kind: "job", id } });
