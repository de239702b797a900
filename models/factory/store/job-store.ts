/**
 * Jobs of the factory in memory and on disk, with numbered events for their followers (times in Unix milliseconds). The runner
 * changes jobs, the routes read and follow them.
 */
import { factoryError } from "../../model-errors.ts";
import type { FactoryJob, JobEvent, NewJobEvent } from "../factory-api.ts";
import type { FactoryStore, StoredJob } from "./factory-store.ts";

/** Changes of a job, and their events. */
interface JobChange {
  readonly job?: Partial<Omit<StoredJob, "view">>;
  readonly view?: Partial<StoredJob["view"]>;
  readonly events?: readonly NewJobEvent[];
}

type JobListener = (event: JobEvent) => void;

/** Jobs and their listeners. An event reaches listeners when it is on disk. */
export class JobStore {
  readonly #store: FactoryStore;
  readonly #nowMs: () => number;
  readonly #jobs = new Map<string, StoredJob>();
  readonly #listeners = new Map<string, Set<JobListener>>();

  constructor(store: FactoryStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  async load(): Promise<void> {
    for (const job of await this.#store.jobs()) this.#jobs.set(job.view.id, job);
  }

  /** All jobs in the order in which they came. */
  all(): StoredJob[] {
    return [...this.#jobs.values()].sort((a, b) => a.order - b.order);
  }

  /** @throws MOD_FACTORY_UNKNOWN if it was deleted meanwhile */
  get(id: string): StoredJob {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    throw factoryError("MOD_FACTORY_UNKNOWN", `there is no job ${id}`, { data: { kind: "job", id } });
  }

  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  /** @throws MOD_FACTORY_UNKNOWN, for another account's too */
  require(id: string, leafId: number): StoredJob {
    const job = this.#jobs.get(id);
    if (job === undefined || job.view.leafId !== leafId)
      throw factoryError("MOD_FACTORY_UNKNOWN", `there is no job ${id} of leaf ${leafId}`, {
        data: { kind: "job", id },
      });
    return job;
  }

  async add(job: StoredJob, events: readonly NewJobEvent[]): Promise<void> {
    this.#jobs.set(job.view.id, job);
    await this.change(job.view.id, { events });
  }

  /** Durable when it resolves. */
  async change(id: string, { events = [], job, view }: JobChange): Promise<StoredJob> {
    const before = this.get(id);
    const atMs = this.#nowMs();
    const first = before.view.lastEvent + 1;
    const numbered = events.map((event, i) => ({ ...event, number: first + i, atMs }) as JobEvent);
    const lastEvent = before.view.lastEvent + events.length;
    const after: StoredJob = { ...before, ...job, view: { ...before.view, ...view, lastEvent } };
    this.#jobs.set(id, after);
    await this.#store.putJob(after, numbered);
    for (const listener of this.#listeners.get(id) ?? []) for (const event of numbered) listener(event);
    return after;
  }

  /** Changes a job's state, with an event that names the new state. */
  changeState(id: string, state: FactoryJob["state"], change: JobChange = {}): Promise<StoredJob> {
    const failure = change.view?.failure ?? null;
    return this.change(id, {
      ...change,
      view: { ...change.view, state, failure },
      events: [...(change.events ?? []), { kind: "state", state, failure }],
    });
  }

  /** Deletes a job, which is unknown at once; durable when the promise resolves. */
  async delete(id: string): Promise<void> {
    this.#jobs.delete(id);
    this.#listeners.delete(id);
    await this.#store.deleteJob(id);
  }

  /** Events after number `after`: those of the store first, then what comes, without a gap. @returns a function that ends it */
  async follow(id: string, after: number, listener: JobListener): Promise<() => void> {
    let last = after;
    const waiting: JobEvent[] = [];
    let isLive = false;
    const take = (event: JobEvent) => {
      if (event.number <= last) return;
      last = event.number;
      listener(event);
    };
    const own: JobListener = (event) => (isLive ? take(event) : void waiting.push(event));
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(own));
    const end = () => void listeners.delete(own);
    try {
      for await (const event of this.#store.events(id, after)) take(event);
    } catch (error) {
      end();
      throw error;
    }
    for (const event of waiting) take(event);
    isLive = true;
    return end;
  }
}
