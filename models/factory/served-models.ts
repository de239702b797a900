/**
 * Models of finished jobs whose questions the factory answers: each with a thread and a settler. The owner
 * of a job turns serving on and off from its page.
 */
import { join } from "node:path";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import type { Database } from "@openledger/foundation/database/database";
import type { Logger } from "@openledger/foundation/logger";
import type { FastifyInstance } from "fastify";
import type { KernelChoice } from "../engine/kernels/create-kernels.ts";
import { factoryError } from "../model-errors.ts";
import { AnswerModels, LEDGER_PATH } from "../serving/answers/answer-models.ts";
import { SettlingReport } from "../settling/daemon/turn-report.ts";
import { BASE_FOLDER, isAddress, OWN_BASE } from "../tuning/base/base-place.ts";
import type { FactoryConfig } from "./factory-config.ts";
import type { BaseRegistry } from "./store/base-registry.ts";
import type { StoredJob } from "./store/factory-store.ts";
import type { JobStore } from "./store/job-store.ts";
import { MODEL_FOLDER } from "./tasks/dataset-files.ts";

/** Cache for adapters, maps and features of one model, in bytes. */
const HELD_BYTES = 128 * 2 ** 20;
/** Time for which an answer may stay unpaid before its account may ask again. */
const ANSWER_TTL_MS = 600_000;
/** Settles closed epochs of a model from what its server has, without its key. */
export type StartSettler = (order: {
  readonly modelId: number;
  readonly modelFolder: string;
  readonly serverUrl: string;
  readonly report: SettlingReport;
}) => Promise<{ stop(): Promise<void> }>;

interface Needs {
  readonly bases: BaseRegistry;
  readonly jobs: JobStore;
  readonly client: LedgerClient;
  readonly config: FactoryConfig;
  /** Answers, and the payments for them (`ANSWERS_PART`). */
  readonly database: Database;
  readonly logger: Logger;
  readonly folderOf: (jobId: string) => string;
  /** Absent if no Ethereum node is at hand: nothing is settled then. */
  readonly startSettler: StartSettler | undefined;
}

interface Served {
  readonly app: FastifyInstance;
  close(): Promise<void>;
}

export class ServedModels {
  readonly #needs: Needs;
  /** Models by their leaves, also those that are being opened. */
  readonly #open = new Map<number, Promise<Served>>();
  readonly #apps = new Map<number, FastifyInstance>();
  #url = "";

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Lists the models in the order of their leaves. */
  list(): { modelId: number }[] {
    return [...this.#apps.keys()].sort((a, b) => a - b).map((modelId) => ({ modelId }));
  }

  /** Returns the routes of an answer server. @throws MOD_FACTORY_UNKNOWN if the model is not served here now */
  routesOf(model: string): FastifyInstance {
    const app = /^\d{1,8}$/.test(model) ? this.#apps.get(Number(model)) : undefined;
    if (app !== undefined) return app;
    throw factoryError("MOD_FACTORY_UNKNOWN", `no model ${model.slice(0, 20)} is served here`, {
      data: { kind: "model", name: model.slice(0, 20) },
    });
  }

  /** Serves the models again that the factory served when it ended. @param url the factory's own address */
  async takeUp(url: string): Promise<void> {
    this.#url = url;
    for (const job of this.#served()) {
      const { id, modelId } = job.view;
      await this.#serve(job, modelId!).catch((error: unknown) =>
        this.#needs.logger.error({ err: error, job: id, modelId }, "the model cannot be served"),
      );
    }
  }

  /**
   * Starts to serve the model to anyone who pays it. It is served again after a restart.
   * @throws MOD_FACTORY_JOB_STATE if the ledger does not have it, SRV_QUOTA_USED, and what `AnswerModels.open` throws
   */
  async serve(job: StoredJob): Promise<StoredJob> {
    const { id, leafId, modelId } = job.view;
    if (modelId === null || !(await getModel(this.#needs.client, modelId)).counters.isReady)
      throw factoryError("MOD_FACTORY_JOB_STATE", `job ${id} has no model that is registered`, {
        data: { reason: "not-registered", id },
      });
    const { jobs, config } = this.#needs;
    const others = this.#served().filter(({ view }) => view.id !== id);
    const own = others.filter(({ view }) => view.leafId === leafId);
    if (others.length >= config.maxServed || own.length >= config.maxServedPerAccount)
      throw factoryError("SRV_QUOTA_USED", `leaf ${leafId} has ${own.length} served models`, {
        data: { reason: "served-full", what: "served models", max: config.maxServedPerAccount },
      });
    await this.#serve(job, modelId);
    return jobs.change(id, { view: { isServed: true } });
  }

  /** @throws MOD_FACTORY_JOB_STATE while payments wait for the openings that are here */
  async end(job: StoredJob): Promise<StoredJob> {
    const { id, modelId } = job.view;
    const { jobs, client } = this.#needs;
    if (modelId !== null && job.view.isServed) {
      const { closedEpoch, counters } = await getModel(client, modelId);
      if (closedEpoch !== null || counters.paymentCount > 0)
        throw factoryError("MOD_FACTORY_JOB_STATE", `model ${modelId} has payments that are not settled`, {
          data: { reason: "unsettled", id, modelId, epoch: counters.epoch },
        });
      await this.#close(modelId);
    }
    return jobs.change(id, { view: { isServed: false } });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((modelId) => this.#close(modelId)));
  }

  #served(): StoredJob[] {
    return this.#needs.jobs.all().filter(({ view }) => view.isServed && view.modelId !== null);
  }

  async #serve(job: StoredJob, modelId: number): Promise<void> {
    const known = this.#open.get(modelId);
    const opening = known ?? this.#start(job, modelId);
    this.#open.set(modelId, opening);
    try {
      this.#apps.set(modelId, (await opening).app);
    } catch (error) {
      this.#open.delete(modelId);
      throw error;
    }
  }

  async #close(modelId: number): Promise<void> {
    const opening = this.#open.get(modelId);
    this.#open.delete(modelId);
    this.#apps.delete(modelId);
    await opening?.then(
      (served) => served.close(),
      // Whoever opened it got the error.
      () => undefined,
    );
  }

  async #start({ view }: StoredJob, modelId: number): Promise<Served> {
    const { bases, client, config, folderOf, logger, startSettler } = this.#needs;
    const { place } = bases.require(view.baseId);
    if (isAddress(place))
      throw factoryError("MOD_FACTORY_JOB_STATE", `the base of job ${view.id} is not on this machine`, {
        data: { reason: "base-elsewhere", id: view.id },
      });
    const folder = join(config.dataPath, "served", String(modelId));
    const modelFolder = join(folderOf(view.id), MODEL_FOLDER);
    const report = startSettler === undefined ? undefined : new SettlingReport(modelId);
    const models = await AnswerModels.open(
      [{ modelId, folder: modelFolder }],
      {
        ...config,
        adaptersFolder: join(folder, "adapters"),
        database: this.#needs.database,
        basePath: place === OWN_BASE ? BASE_FOLDER : place,
        kernels: config.kernels as KernelChoice,
        heldBytes: HELD_BYTES,
        scores: "int32",
        domain: client.domain,
        answerTtlMs: ANSWER_TTL_MS,
        settlingOf: () => report,
      },
      { log: logger },
    );
    try {
      const settler = await startSettler?.({
        modelId,
        modelFolder,
        serverUrl: `${this.#url}${LEDGER_PATH}/${modelId}`,
        report: report!,
      });
      return {
        app: models.app,
        async close() {
          await settler?.stop();
          await models.close();
        },
      };
    } catch (error) {
      await models.close();
      throw error;
    }
  }
}
