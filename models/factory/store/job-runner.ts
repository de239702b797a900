/**
 * Queue of the factory's training jobs: starts each in a process of its own, passes on pause, stop and resume, and restarts what
 * a kill has interrupted. Routes call its verbs; job-store.ts stores what it reports.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type { FactoryJob, JobStage } from "../factory-api.ts";
import { ChildTask, type TaskLimits } from "../tasks/child-task.ts";
import type { EventsMessage, StageMessage, TaskResults, TrainTask } from "../tasks/task-messages.ts";
import type { StoredJob } from "./factory-store.ts";
import type { JobStore } from "./job-store.ts";

/** Number of silent ends of a job's process, without a step in between, after which the job has failed. */
const MAX_SILENT_ENDS = 3;

interface JobRunnerOptions extends TaskLimits {
  readonly maxRunning: number;
  readonly dataPath: string;
  /** Task of a job's process. */
  readonly taskOf: (job: StoredJob) => Omit<TrainTask, "mode" | "jobFolder" | "saidStep">;
}

/** Runs jobs, each in a process of its own, as many at a time as may be; accounts take turns. */
export class JobRunner {
  readonly #jobs: JobStore;
  readonly #options: JobRunnerOptions;
  readonly #log: Logger;
  readonly #running = new Map<string, ChildTask<"train">>();
  /** Number of the leaf's last start, counted over all starts. */
  readonly #turns = new Map<number, number>();
  readonly #silentEnds = new Map<string, number>();
  #turn = 0;
  #isStopping = false;

  constructor(jobs: JobStore, options: JobRunnerOptions, log: Logger) {
    this.#jobs = jobs;
    this.#options = options;
    this.#log = log;
  }

  folderOf(jobId: string): string {
    return join(this.#options.dataPath, "jobs", jobId);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Restores jobs that a kill has interrupted, before any request can change them; running ones are queued again. */
  async takeUp(): Promise<void> {
    for (const { isStopWished, registration, view } of this.#jobs.all()) {
      const { id, state } = view;
      if (registration.state === "proving")
        await this.#jobs.change(id, {
          job: { registration: { ...registration, state: "ready", percent: 0 } },
        });
      if (state === "pausing") await this.#jobs.changeState(id, "paused");
      else if (state === "running" || state === "stopping")
        await this.#jobs.changeState(id, "queued", { job: { isStopWished } });
    }
  }

  start(): void {
    this.#schedule();
  }

  view({ view }: StoredJob): FactoryJob {
    const queued = this.#queue().findIndex((job) => job.view.id === view.id);
    return { ...view, queuedBefore: queued < 0 ? 0 : queued + (this.#isFull() ? this.#running.size : 0) };
  }

  get queuedBeforeNext(): number {
    return this.#running.size + this.#queue().length;
  }

  async add(job: StoredJob): Promise<StoredJob> {
    await this.#jobs.add(job, [{ kind: "state", state: "queued", failure: null }]);
    this.#schedule();
    return this.#jobs.get(job.view.id);
  }

  /** @throws MOD_FACTORY_JOB_STATE */
  async pause({ view }: StoredJob): Promise<StoredJob> {
    if (view.state === "queued") return this.#jobs.changeState(view.id, "paused");
    if (view.state !== "running") throw wrongState(view, "be paused");
    const changed = await this.#jobs.changeState(view.id, "pausing");
    this.#running.get(view.id)?.send("pause");
    return changed;
  }

  /** Queues a paused or failed job again. @throws MOD_FACTORY_JOB_STATE */
  async resume({ view }: StoredJob): Promise<StoredJob> {
    if (view.state !== "paused" && view.state !== "failed") throw wrongState(view, "be resumed");
    this.#silentEnds.delete(view.id);
    await this.#jobs.changeState(view.id, "queued");
    this.#schedule();
    return this.#jobs.get(view.id);
  }

  /** Stops a job early: its present state becomes the model. @throws MOD_FACTORY_JOB_STATE */
  async stop({ view }: StoredJob): Promise<StoredJob> {
    const { id, state, step } = view;
    if (state === "running") {
      const changed = await this.#jobs.changeState(id, "stopping", { job: { isStopWished: true } });
      this.#running.get(id)?.send("stop");
      return changed;
    }
    if ((state !== "paused" && state !== "queued") || step === 0) throw wrongState(view, "be stopped early");
    await this.#jobs.changeState(id, "queued", { job: { isStopWished: true } });
    this.#schedule();
    return this.#jobs.get(id);
  }

  /** @throws MOD_FACTORY_JOB_STATE while it runs, or its activation is proven: what reports goes on to a job that is there */
  async delete({ view }: StoredJob): Promise<void> {
    if (this.#running.has(view.id))
      throw factoryError("MOD_FACTORY_JOB_STATE", `job ${view.id} runs: pause it first`, {
        data: { reason: "in-use" },
      });
    if (this.#jobs.get(view.id).registration.state === "proving")
      throw factoryError("MOD_FACTORY_JOB_STATE", `the activation of job ${view.id} is being proven`, {
        data: { reason: "in-use" },
      });
    if (view.isServed)
      throw factoryError("MOD_FACTORY_JOB_STATE", `the model of job ${view.id} is served`, {
        data: { reason: "in-use" },
      });
    await this.#jobs.delete(view.id);
    await rm(this.folderOf(view.id), { recursive: true, force: true });
  }

  /** Ends the processes; they compute again what they have not written. */
  async close(): Promise<void> {
    this.#isStopping = true;
    const tasks = [...this.#running.values()];
    for (const task of tasks) task.kill();
    await Promise.allSettled(tasks.map(({ ended }) => ended));
  }

  #isFull(): boolean {
    return this.#running.size >= this.#options.maxRunning;
  }

  /** Queued jobs in the order in which they will run: accounts take turns, each in its own order. */
  #queue(): StoredJob[] {
    const waiting = this.#jobs
      .all()
      .filter(({ view }) => view.state === "queued" && !this.#running.has(view.id));
    const ahead = new Map<number, number>();
    const round = waiting.map((job) => {
      const { leafId } = job.view;
      const running = [...this.#running.keys()].filter(
        (id) => this.#jobs.get(id).view.leafId === leafId,
      ).length;
      const before = ahead.get(leafId) ?? running;
      ahead.set(leafId, before + 1);
      return { job, before, turn: this.#turns.get(leafId) ?? 0 };
    });
    round.sort((a, b) => a.before - b.before || a.turn - b.turn || a.job.order - b.job.order);
    return round.map(({ job }) => job);
  }

  #schedule(): void {
    while (!this.#isStopping && !this.#isFull()) {
      const [next] = this.#queue();
      if (next === undefined) return;
      this.#turn += 1;
      this.#turns.set(next.view.leafId, this.#turn);
      void this.#run(next);
    }
  }

  async #run(job: StoredJob): Promise<void> {
    const { id } = job.view;
    const task = new ChildTask<"train">(
      {
        mode: "train",
        ...this.#options.taskOf(job),
        jobFolder: this.folderOf(id),
        saidStep: job.saidStep,
      },
      this.#options,
      (message) => this.#take(id, message),
    );
    this.#running.set(id, task);
    this.#log.info({ job: id, step: job.view.step, processId: task.processId }, "job runs");
    const startedAtMs = performance.now();
    try {
      await this.#jobs.changeState(id, job.isStopWished ? "stopping" : "running", {
        view: { stage: "load" },
      });
      if (job.isStopWished) task.send("stop");
      const { result } = await task.ended;
      const seconds = this.#jobs.get(id).secondsBefore + (performance.now() - startedAtMs) / 1_000;
      if (result === null) {
        await this.#jobs.changeState(id, "paused", {
          job: { secondsBefore: seconds },
          view: { stage: "waiting" },
        });
      } else await this.#finish(id, result, seconds);
    } catch (error) {
      if (!this.#isStopping) await this.#fail(id, job.saidStep, error);
    } finally {
      this.#running.delete(id);
      this.#schedule();
    }
  }

  async #take(id: string, message: EventsMessage | StageMessage): Promise<void> {
    const { saidStep, view } = this.#jobs.get(id);
    if (message.kind === "stage") {
      const { done, stage, total } = message;
      await this.#jobs.change(id, { view: { stage }, events: [{ kind: "stage", stage, done, total }] });
      return;
    }
    // Steps repeated after a kill: their events have been sent before.
    if (message.step <= saidStep) return;
    const step = message.events.find((event) => event.kind === "step");
    const heldOut = message.events.find((event) => event.kind === "heldOut");
    const stage: JobStage = "train";
    await this.#jobs.change(id, {
      job: { saidStep: message.step },
      view: {
        stage,
        step: message.step,
        ...(step === undefined
          ? {}
          : { loss: step.loss, tokensPerSecond: step.tokensPerSecond, secondsLeft: step.secondsLeft }),
        heldOutLoss: heldOut?.loss ?? view.heldOutLoss,
      },
      events: message.events,
    });
  }

  async #finish(
    id: string,
    { recipe, result, statics }: TaskResults["train"],
    seconds: number,
  ): Promise<void> {
    const { registration } = this.#jobs.get(id);
    const whole = { ...result, seconds };
    await this.#jobs.changeState(id, "done", {
      job: {
        recipe,
        secondsBefore: seconds,
        registration: { ...registration, statics, state: statics === null ? "unready" : "ready" },
      },
      view: { result: whole, stage: "waiting", secondsLeft: 0 },
      events: [{ kind: "result", result: whole }],
    });
    this.#log.info({ job: id, seconds }, "job is done");
  }

  async #fail(id: string, saidBefore: number, error: unknown): Promise<void> {
    const typed: RollupError = isRollupError(error)
      ? error
      : factoryError("SRV_INTERNAL", "the job failed in an unforeseen way", { cause: error });
    this.#log.error({ job: id, err: typed }, "job ended without a result");
    if (typed.code === "MOD_FACTORY_TRAINER_ENDED") {
      const hasGoneOn = this.#jobs.get(id).saidStep > saidBefore;
      const silentEnds = hasGoneOn ? 1 : (this.#silentEnds.get(id) ?? 0) + 1;
      this.#silentEnds.set(id, silentEnds);
      if (silentEnds < MAX_SILENT_ENDS) {
        const { state } = this.#jobs.get(id).view;
        await this.#jobs.changeState(id, state === "pausing" ? "paused" : "queued");
        return;
      }
    }
    const failure = typed.toJSON() as NonNullable<FactoryJob["failure"]>;
    await this.#jobs.changeState(id, "failed", { view: { failure, stage: "waiting" } });
  }
}

function wrongState({ id, state }: StoredJob["view"], what: string) {
  return factoryError("MOD_FACTORY_JOB_STATE", `job ${id} is ${state}, and cannot ${what}`, {
    data: { id, state },
  });
}
