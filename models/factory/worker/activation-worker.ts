/**
 * Worker of activations: proves that a registered model's payees are those of its recipe, in a process of its own. The model's
 * owner signs and sends the proof. Another worker begins again where this one ends.
 */

import { randomUUID } from "node:crypto";
import type { RunningJob } from "@openledger/foundation/database/job-lease";
import type { JobWorker } from "@openledger/foundation/database/job-worker";
import { whileAway } from "@openledger/foundation/database/while-away";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type { FactoryDataset, FactoryRegistration } from "../factory-api.ts";
import type { StoredJob, StoredRegistration } from "../store/factory-records.ts";
import type { JobChange } from "../store/job-store.ts";
import type { TicketedJob } from "../store/job-tickets.ts";
import { ChildTask } from "../tasks/child-task.ts";
import { JobLost, MAX_SILENT_STARTS, typed, type WorkerModules } from "./worker-modules.ts";

interface Hold {
  readonly id: string;
  readonly run: number;
  readonly holder: string;
  readonly signal: AbortSignal;
}

export class ActivationWorker {
  readonly #modules: WorkerModules;
  readonly #worker: JobWorker;
  #isClosing = false;

  constructor(modules: WorkerModules) {
    this.#modules = modules;
    const { config, name, queues } = modules;
    this.#worker = queues.activations.work({
      name,
      leaseMs: config.leaseMs,
      run: (job) => this.#run(job),
    });
  }

  /** Ends the process that proves; another worker begins again. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#worker.close();
  }

  async #run({
    signal,
    task: { jobId, run },
  }: RunningJob<TicketedJob, object>): Promise<Record<string, never>> {
    const { log } = this.#modules;
    const hold: Hold = { id: jobId, run, holder: randomUUID(), signal };
    try {
      const job = await whileAway(signal, () => this.#begin(hold));
      if (job !== null) await this.#prove(hold, job);
      return {};
    } catch (error) {
      if (error instanceof JobLost || isRollupError(error, "MOD_FACTORY_UNKNOWN")) return {};
      if (signal.aborted && !this.#isClosing) throw error;
      const failure = typed(error, "the activation was not proven");
      if (!this.#isClosing) log.error({ err: failure, job: jobId }, "the activation was not proven");
      if (await this.#end(hold, failure)) return {};
      throw error;
    }
  }

  /** Makes the proof this worker's; null where nobody waits for it. */
  async #begin({ holder, id, run }: Hold): Promise<StoredJob | null> {
    const begun = await this.#modules.jobs.change(id, (job) => {
      if (job.proofHolder === holder || job.proofRun !== run || job.registration.state !== "proving")
        return null;
      if (job.proofStarts >= MAX_SILENT_STARTS)
        return failed(
          job,
          factoryError("MOD_FACTORY_TRAINER_ENDED", `${job.proofStarts} workers ended during the proof`, {
            data: { why: "workers ended", starts: job.proofStarts },
          }),
        );
      return registered(job, { percent: 0 }, { proofHolder: holder, proofStarts: job.proofStarts + 1 });
    });
    return begun.proofHolder === holder ? begun : null;
  }

  async #prove(hold: Hold, { view }: StoredJob): Promise<void> {
    const { config, database } = this.#modules;
    const { deploymentPath, prover, rpcUrl, sequencerUrl } = config;
    const { signal } = hold;
    const payees = await whileAway(signal, async () => {
      const [row] = await database.query<{ view: string }>("select view from datasets where id = $1", [
        view.datasetId,
      ]);
      return (JSON.parse(row!.view) as FactoryDataset).people;
    });
    const task = new ChildTask(
      {
        mode: "activation",
        modelId: view.modelId!,
        payees,
        deploymentPath,
        prover,
        rpcUrl,
        sequencerUrl,
      },
      config,
      async (message) => {
        if (message.kind === "stage") await this.#write(hold, { percent: message.done });
      },
    );
    this.#modules.log.info({ job: view.id, processId: task.processId }, "activation is proven");
    const kill = () => task.kill();
    signal.addEventListener("abort", kill, { once: true });
    try {
      const { result } = await task.ended;
      const activation = result as FactoryRegistration["activation"];
      await this.#write(hold, { state: "proven", percent: 100, activation });
    } finally {
      signal.removeEventListener("abort", kill);
      task.kill();
      await task.ended.catch(() => {});
    }
  }

  /** @throws JobLost where another worker has the proof now */
  async #write({ holder, id, signal }: Hold, change: Partial<StoredRegistration>): Promise<void> {
    const { jobs } = this.#modules;
    await whileAway(signal, () =>
      jobs.change(id, (job) => {
        if (job.proofHolder !== holder) throw new JobLost();
        return registered(job, change);
      }),
    );
  }

  /** Writes how a proof has ended without a result. @returns false where another attempt follows */
  async #end({ holder, id, signal }: Hold, failure: RollupError): Promise<boolean> {
    const { jobs } = this.#modules;
    const write = () =>
      jobs.change(id, (job) => {
        if (job.proofHolder !== holder) throw new JobLost();
        const isAgain =
          this.#isClosing ||
          (failure.code === "MOD_FACTORY_TRAINER_ENDED" && job.proofStarts < MAX_SILENT_STARTS);
        if (!isAgain) return failed(job, failure);
        const proofStarts = Math.max(0, job.proofStarts - (this.#isClosing ? 1 : 0));
        return registered(job, { percent: 0 }, { proofHolder: null, proofStarts });
      });
    // A worker that ends does not wait for the database: its lease runs out.
    const { registration } = this.#isClosing ? await write() : await whileAway(signal, write);
    return registration.state !== "proving";
  }
}

const registered = (
  { registration }: StoredJob,
  change: Partial<StoredRegistration>,
  job: Pick<Partial<StoredJob>, "proofHolder" | "proofStarts"> = {},
): JobChange => ({ job: { ...job, registration: { ...registration, ...change } } });

const failed = (job: StoredJob, failure: RollupError): JobChange =>
  registered(
    job,
    { state: "failed", failure: failure.toJSON() as FactoryRegistration["failure"] },
    { proofHolder: null },
  );
