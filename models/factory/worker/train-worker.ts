/**
 * Worker of training jobs: takes one from the queue, fetches its rows and its last state, computes in a process of its own
 * (tasks/task-process.ts), and stores events, a state every 20 steps and the model. Another worker, on any machine, goes on from
 * the last state where this one ends, to the same bytes.
 */

import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { circuitColumns } from "@openledger/attribution/model/recipe-fields";
import { MAX_PAYEE_COUNT, SHARD_COUNT_MAX } from "@openledger/circuits/protocol";
import type { Queries } from "@openledger/foundation/database/database";
import type { RunningJob } from "@openledger/foundation/database/job-lease";
import type { JobWorker } from "@openledger/foundation/database/job-worker";
import { whileAway } from "@openledger/foundation/database/while-away";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import { OWN_BASE } from "../../tuning/base/base-address.ts";
import { STATE_FILE } from "../../tuning/training/checkpoint.ts";
import { DRAWS, termsOfForm } from "../default-form.ts";
import type { FactoryDataset, FactoryJob, JobStage } from "../factory-api.ts";
import { fetchDatasetRows } from "../store/dataset-store.ts";
import type { CircuitSize, StoredJob } from "../store/factory-records.ts";
import { type JobChange, stateChange } from "../store/job-store.ts";
import type { TicketedJob } from "../store/job-tickets.ts";
import { ChildTask } from "../tasks/child-task.ts";
import {
  ADAPTER_FOLDER,
  CLASSIFIER_FOLDER,
  MODEL_FOLDER,
  STATE_FOLDER,
  writeDatasetRows,
} from "../tasks/dataset-files.ts";
import type { ProgressMessage, TaskResults, TaskWish } from "../tasks/task-messages.ts";
import { JobLost, MAX_SILENT_STARTS, typed, type WorkerModules } from "./worker-modules.ts";

/** A job that this worker has. */
interface Hold {
  readonly id: string;
  readonly run: number;
  readonly holder: string;
  /** Aborted when the job is another worker's, or this one ends. */
  readonly signal: AbortSignal;
  wish: TaskWish | null;
  task: ChildTask<"train"> | null;
}

export class TrainWorker {
  readonly #modules: WorkerModules;
  readonly #held = new Map<string, Hold>();
  readonly #workers: JobWorker[];
  readonly #unlisten: () => void;
  #isClosing = false;

  constructor(modules: WorkerModules) {
    const { config, jobs, name, queues } = modules;
    this.#modules = modules;
    this.#unlisten = jobs.listen(({ id, state }) => {
      if (id === null) void this.#lookForWishes();
      else this.#pass(this.#held.get(id), state);
    });
    this.#workers = Array.from({ length: config.maxRunning }, () =>
      queues.trainings.work({ name, leaseMs: config.leaseMs, run: (job) => this.#run(job) }),
    );
  }

  get runningCount(): number {
    return this.#held.size;
  }

  /** Ends the processes; another worker goes on with their jobs. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#unlisten();
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  async #run({
    signal,
    task: { jobId, run },
  }: RunningJob<TicketedJob, object>): Promise<Record<string, never>> {
    const { log, scratch } = this.#modules;
    const hold: Hold = { id: jobId, run, holder: randomUUID(), signal, wish: null, task: null };
    this.#held.set(jobId, hold);
    try {
      const job = await whileAway(signal, () => this.#begin(hold));
      if (job === null) return {};
      await scratch.use((folder) => this.#train(hold, job, folder));
      return {};
    } catch (error) {
      if (error instanceof JobLost || isRollupError(error, "MOD_FACTORY_UNKNOWN")) {
        log.warn({ job: jobId }, "the job is another worker's, or was deleted");
        return {};
      }
      if (signal.aborted && !this.#isClosing) throw error;
      const isOver = await this.#end(hold, error);
      if (isOver) return {};
      throw error;
    } finally {
      if (this.#held.get(jobId) === hold) this.#held.delete(jobId);
    }
  }

  /** Makes the job this worker's; null where it is not to be trained now. */
  async #begin({ holder, id, run }: Hold): Promise<StoredJob | null> {
    const begun = await this.#modules.jobs.change(id, async (job, queries) => {
      const { state } = job.view;
      if (job.holder === holder || job.run !== run) return null;
      if (state === "pausing")
        return stateChange("paused", { job: { holder: null }, view: { stage: "waiting" } });
      if (state !== "queued" && state !== "running" && state !== "stopping") return null;
      if (job.silentStarts >= MAX_SILENT_STARTS)
        return failed(
          factoryError("MOD_FACTORY_TRAINER_ENDED", `${job.silentStarts} workers ended during the job`, {
            data: { why: "workers ended", starts: job.silentStarts },
          }),
        );
      await queries.query("update clock set turn = greatest(turn, $1)", [job.turn]);
      return stateChange(job.isStopWished ? "stopping" : "running", {
        job: { holder, silentStarts: job.silentStarts + 1 },
        view: { stage: "load" },
      });
    });
    return begun.holder === holder ? begun : null;
  }

  async #train(hold: Hold, job: StoredJob, folder: string): Promise<void> {
    const { config, database, files, jobs, log } = this.#modules;
    const { id, signal } = hold;
    const { baseId, datasetId, form } = job.view;
    const startedAtMs = performance.now();
    const rowsFolder = join(folder, "rows");
    const jobFolder = join(folder, "job");
    const statePath = join(jobFolder, STATE_FOLDER, STATE_FILE);
    const fetched = <T>(work: () => Promise<T>) => whileAway(signal, work);
    await writeDatasetRows(rowsFolder, await fetched(() => fetchDatasetRows(database, datasetId)));
    const hasState = await fetched(() => files.fetch(id, "state", STATE_FILE, statePath));
    const basePlace = await fetched(() => positionOf(database, baseId));
    const { card, labels } = await fetched(() => factsOf(database, datasetId));
    signal.throwIfAborted();
    const task = new ChildTask<"train">(
      {
        mode: "train",
        basePlace,
        recipe: job.recipe,
        rowsFolder,
        jobFolder,
        kernels: config.kernels as "native" | "wasm",
        threadCount: config.threadCount,
        maxMemoryBytes: config.maxMemoryBytes,
        saidStep: job.saidStep,
        form,
        card,
        labels,
        registration: {
          isRegistrable: job.size !== null,
          size: job.size ?? ownSize(job),
          terms: termsOfForm(form),
        },
      },
      config,
      (message) => fetched(() => this.#take(hold, message, statePath)),
    );
    hold.task = task;
    const kill = () => task.kill();
    signal.addEventListener("abort", kill, { once: true });
    log.info({ job: id, step: job.view.step, hasState, processId: task.processId }, "job runs");
    try {
      const wish = hold.wish ?? (job.isStopWished ? "stop" : null);
      if (wish !== null) task.send(wish);
      const { result } = await task.ended;
      const secondsBefore = job.secondsBefore + (performance.now() - startedAtMs) / 1_000;
      if (result === null)
        await fetched(() =>
          jobs.change(id, (now) =>
            now.view.state === "paused"
              ? null
              : own(hold, now, () =>
                  stateChange("paused", { job: { secondsBefore }, view: { stage: "waiting" } }),
                ),
          ),
        );
      else await this.#finish(hold, result, { jobFolder, secondsBefore });
    } finally {
      signal.removeEventListener("abort", kill);
      task.kill();
      await task.ended.catch(() => {});
    }
  }

  async #take(hold: Hold, message: ProgressMessage, statePath: string): Promise<void> {
    const { files, jobs } = this.#modules;
    const { id } = hold;
    if (message.kind === "checkpoint") {
      await files.put(id, { form: "state", name: STATE_FILE, path: statePath }, requireHeld(hold));
      return;
    }
    const after = await jobs.change(id, (job) => own(hold, job, () => progressOf(job, message)));
    this.#pass(hold, after.view.state);
  }

  async #finish(
    hold: Hold,
    { recipe, result, statics }: TaskResults["train"],
    { jobFolder, secondsBefore }: { jobFolder: string; secondsBefore: number },
  ): Promise<void> {
    const { files, jobs, log } = this.#modules;
    const { id, signal } = hold;
    for (const [form, folder] of [
      ["adapter", ADAPTER_FOLDER],
      ["classifier", CLASSIFIER_FOLDER],
      ["model", MODEL_FOLDER],
    ] as const)
      for (const name of await readdir(join(jobFolder, folder)).catch(() => [])) {
        const path = join(jobFolder, folder, name);
        await whileAway(signal, () => files.put(id, { form, name, path }, requireHeld(hold)));
      }
    const whole = { ...result, seconds: secondsBefore };
    await whileAway(signal, () =>
      jobs.change(id, async (job, queries) => {
        // Committed before the connection was lost.
        if (job.view.state === "done") return null;
        requireOwn(hold, job);
        await files.keepOnly(queries, id, ["adapter", "classifier", "model"]);
        return stateChange("done", {
          job: {
            recipe,
            secondsBefore,
            registration: { ...job.registration, statics, state: statics === null ? "unready" : "ready" },
          },
          view: { result: whole, stage: "waiting", secondsLeft: 0 },
          events: [{ kind: "result", result: whole }],
        });
      }),
    );
    log.info({ job: id, seconds: secondsBefore }, "job is done");
  }

  /** Writes how a run has ended without a result. @returns false where another one follows */
  async #end(hold: Hold, error: unknown): Promise<boolean> {
    const { jobs, log } = this.#modules;
    const failure = typed(error, "the job failed in an unforeseen way");
    if (!this.#isClosing) log.error({ job: hold.id, err: failure }, "job ended without a result");
    const write = () =>
      jobs.change(hold.id, (job) =>
        own(hold, job, (): JobChange => {
          const isAgain =
            this.#isClosing ||
            (failure.code === "MOD_FACTORY_TRAINER_ENDED" && job.silentStarts < MAX_SILENT_STARTS);
          if (!isAgain) return failed(failure);
          const state = job.view.state === "pausing" ? "paused" : "queued";
          // The end of a worker is no fault of the job.
          const silentStarts = Math.max(0, job.silentStarts - (this.#isClosing ? 1 : 0));
          return stateChange(state, { job: { holder: null, silentStarts } });
        }),
      );
    // A worker that ends does not wait for the database: its lease runs out.
    const { view } = this.#isClosing ? await write() : await whileAway(hold.signal, write);
    return view.state !== "queued";
  }

  #pass(hold: Hold | undefined, state: FactoryJob["state"] | null): void {
    const wish = state === "pausing" ? "pause" : state === "stopping" ? "stop" : null;
    if (hold === undefined || wish === null || hold.wish === wish) return;
    hold.wish = wish;
    hold.task?.send(wish);
  }

  async #lookForWishes(): Promise<void> {
    for (const hold of this.#held.values()) {
      // A step says it, too.
      const job = await this.#modules.jobs.get(hold.id).catch(() => null);
      if (job?.holder === hold.holder) this.#pass(hold, job.view.state);
    }
  }
}

function progressOf(
  { saidStep, view }: StoredJob,
  message: Exclude<ProgressMessage, { kind: "checkpoint" }>,
) {
  if (message.kind === "stage") {
    const { done, stage, total } = message;
    return { view: { stage }, events: [{ kind: "stage", stage, done, total }] } satisfies JobChange;
  }
  // Only a base's copy has such messages, which no job has.
  if (message.kind === "copy") return null;
  // Steps repeated after a kill: their events have been sent before.
  if (message.step <= saidStep) return null;
  const step = message.events.find((event) => event.kind === "step");
  const heldOut = message.events.find((event) => event.kind === "heldOut");
  const judged = message.events.findLast((event) => event.kind === "judged");
  const stage: JobStage = "train";
  return {
    job: { saidStep: message.step, silentStarts: 0 },
    view: {
      stage,
      step: message.step,
      ...(step === undefined
        ? {}
        : { loss: step.loss, tokensPerSecond: step.tokensPerSecond, secondsLeft: step.secondsLeft }),
      heldOutLoss: heldOut?.loss ?? view.heldOutLoss,
      ...(judged === undefined ? {} : { accuracy: judged.rightCount / judged.judgedCount }),
    },
    events: message.events,
  } satisfies JobChange;
}

const failed = (error: ReturnType<typeof typed>): JobChange => {
  const failure = error.toJSON() as NonNullable<FactoryJob["failure"]>;
  return stateChange("failed", { job: { holder: null }, view: { failure, stage: "waiting" } });
};

/** @throws JobLost where another worker has the job now */
function requireOwn({ holder }: Pick<Hold, "holder">, job: Pick<StoredJob, "holder">): void {
  if (job.holder !== holder) throw new JobLost();
}

function own<T>(hold: Pick<Hold, "holder">, job: StoredJob, change: () => T): T {
  requireOwn(hold, job);
  return change();
}

const requireHeld =
  ({ holder, id }: Pick<Hold, "holder" | "id">) =>
  async (queries: Queries): Promise<void> => {
    const [row] = await queries.query<{ holder: string | null }>(
      "select holder from jobs where id = $1 for update",
      [id],
    );
    if (row?.holder !== holder) throw new JobLost();
  };

/** Card and labels of a job's rows. */
async function factsOf(queries: Queries, datasetId: string) {
  const [row] = await queries.query<{ card: string | null; view: string }>(
    "select card, view from datasets where id = $1",
    [datasetId],
  );
  const { labels } = JSON.parse(row!.view) as Partial<FactoryDataset>;
  return { card: row!.card, labels: labels?.map(({ name }) => name) ?? [] };
}

/** Size of a model that no circuit holds. The rows of several Datanets are in shards of their own. */
const ownSize = ({ recipe, view: { rowCount } }: StoredJob): CircuitSize => ({
  rows: rowCount,
  payees: Math.min(rowCount, MAX_PAYEE_COUNT),
  draws: DRAWS,
  ...circuitColumns(recipe),
  ...(recipe.furtherDatanets !== undefined && { shards: SHARD_COUNT_MAX }),
});

/** Place of a job's base; a model that sorts has none, and opens nothing there. */
async function positionOf(queries: Queries, baseId: string | null): Promise<string> {
  if (baseId === null) return OWN_BASE;
  const [row] = await queries.query<{ place: string }>("select place from bases where id = $1", [baseId]);
  return row!.place;
}
