/**
 * Models of finished jobs whose questions the factory answers: each with a thread and a settler. The owner
 * of a job turns serving on and off from its page.
 */
import { join } from "node:path";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import type { Database } from "@openledger/foundation/database/database";
import { isUnreachable } from "@openledger/foundation/database/database-errors";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { FastifyInstance } from "fastify";
import type { KernelChoice } from "../engine/kernels/create-kernels.ts";
import { factoryError } from "../model-errors.ts";
import { AnswerModels } from "../serving/answers/answer-models.ts";
import { LEDGER_PATH } from "../serving/answers/answer-routes.ts";
import { SettlingReport } from "../settling/daemon/turn-report.ts";
import { BASE_FOLDER, isAddress, OWN_BASE } from "../tuning/base/base-address.ts";
import type { FactoryConfig } from "./factory-config.ts";
import { type PlaceLimits, placeFor, type ServedPlace } from "./served-places.ts";
import type { BaseRegistry } from "./store/base-registry.ts";
import type { StoredJob } from "./store/factory-records.ts";
import type { JobFiles } from "./store/job-files.ts";
import type { JobStore } from "./store/job-store.ts";
import { MODEL_FOLDER } from "./tasks/dataset-files.ts";

/** Cache for adapters, maps and features of one model, in bytes. */
const HELD_BYTES = 128 * 2 ** 20;
/** Time for which an answer may stay unpaid before its account may ask again. */
const ANSWER_TTL_MS = 600_000;
/** Interval between two looks at what other servers serve. */
const FOLLOW_MS = 5_000;
const SEEN_MS = 1_000;
/** Advisory lock under which a model begins to be served. */
const SERVED_LOCK = 7_301_948;

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
  readonly files: JobFiles;
  readonly logger: Logger;
  /** Absent if no Ethereum node is at hand: nothing is settled then. */
  readonly startSettler: StartSettler | undefined;
}

interface Opened {
  readonly app: FastifyInstance;
  close(): Promise<void>;
}

/** Models that the factory serves: every server answers for all of them, and has their epochs settled with the others. */
export class ServedModels {
  readonly #needs: Needs;
  /** Models by their leaves, also those that are being opened. */
  readonly #open = new Map<number, Promise<Opened>>();
  /** Models that are opened before the database says that they are served. */
  readonly #beginning = new Set<number>();
  #url = "";
  #timer: NodeJS.Timeout | undefined;
  #following: Promise<void> = Promise.resolve();
  #isClosed = false;
  #seen: { readonly atMs: number; readonly served: Promise<StoredJob[]> } | null = null;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Lists the models in the order of their leaves. */
  async list(): Promise<{ modelId: number }[]> {
    const served = await this.#served();
    return served.map(({ view }) => ({ modelId: view.modelId! })).sort((a, b) => a.modelId - b.modelId);
  }

  /** Returns the routes of an answer server. @throws MOD_FACTORY_UNKNOWN if the model is not served now */
  async routesOf(model: string): Promise<FastifyInstance> {
    const modelId = /^\d{1,8}$/.test(model) ? Number(model) : Number.NaN;
    const known = this.#open.get(modelId);
    if (known !== undefined) return (await known).app;
    // Another server may have begun to serve it.
    const job = (await this.#served()).find(({ view }) => view.modelId === modelId);
    if (job !== undefined && !this.#isClosed) return (await this.#serve(job, modelId)).app;
    throw factoryError("MOD_FACTORY_UNKNOWN", `no model ${model.slice(0, 20)} is served here`, {
      data: { kind: "model", name: model.slice(0, 20) },
    });
  }

  /** Serves what the factory serves, and follows what other servers change. @param url this server's own address */
  takeUp(url: string): void {
    this.#url = url;
    const follow = () => {
      this.#following = this.#follow()
        .catch((error: unknown) => {
          if (!isUnreachable(error))
            this.#needs.logger.error({ err: error }, "served models are not followed");
        })
        .finally(() => {
          if (!this.#isClosed) this.#timer = setTimeout(follow, FOLLOW_MS);
        });
    };
    follow();
  }

  /**
   * Starts to serve the model to anyone who pays it. It is served again after a restart. Where all places
   * are taken, a model of the account that has the most gives way.
   * @throws MOD_FACTORY_JOB_STATE if the ledger does not have it, SRV_QUOTA_USED, and what `AnswerModels.open` throws
   */
  async serve(job: StoredJob): Promise<StoredJob> {
    const { id, leafId, modelId } = job.view;
    const { client, config, jobs } = this.#needs;
    if (modelId === null || !(await getModel(client, modelId)).counters.isReady)
      throw factoryError("MOD_FACTORY_JOB_STATE", `job ${id} has no model that is registered`, {
        data: { reason: "not-registered", id },
      });
    const limits = { max: config.maxServed, maxPerAccount: config.maxServedPerAccount };
    /** @param isGiven true where a place that another model may give will do @throws SRV_QUOTA_USED */
    const requirePlace = (served: readonly ServedPlace[], isGiven: boolean) => {
      const place = placeFor({ id, leafId }, served, limits);
      if (place.is === "free" || (isGiven && place.is === "given")) return;
      const ownCount = place.is === "full" ? place.ownCount : 0;
      throw factoryError(
        "SRV_QUOTA_USED",
        `leaf ${leafId} has ${ownCount} served models, and there is no place for one more`,
        {
          data: { reason: "served-full", what: "served models", max: config.maxServedPerAccount },
        },
      );
    };
    requirePlace(
      (await jobs.served()).map(({ view }) => view),
      true,
    );
    this.#beginning.add(modelId);
    try {
      await this.#serve(job, modelId);
      // Not before the model answers: what cannot be served takes nobody's place.
      await this.#makeRoom(job, limits);
      return await jobs.change(id, async (_, queries) => {
        await queries.query("select pg_advisory_xact_lock($1)", [SERVED_LOCK]);
        requirePlace(
          await queries.query<ServedPlace>(`select id, leaf_id as "leafId" from jobs where is_served`),
          false,
        );
        return { view: { isServed: true } };
      });
    } catch (error) {
      if (!job.view.isServed) await this.#close(modelId);
      throw error;
    } finally {
      this.#beginning.delete(modelId);
      this.#seen = null;
    }
  }

  /** Ends a model whose place goes to the job; none while it has payments that are not settled. */
  async #makeRoom({ view }: StoredJob, limits: PlaceLimits): Promise<void> {
    const { jobs, logger } = this.#needs;
    const served = await jobs.served();
    const place = placeFor(
      view,
      served.map((one) => one.view),
      limits,
    );
    if (place.is !== "given") return;
    for (const id of place.by) {
      try {
        await this.end(served.find((one) => one.view.id === id)!);
        logger.info({ job: id, for: view.id }, "a served model gives its place to another account's");
        return;
      } catch (error) {
        if (!isRollupError(error, "MOD_FACTORY_JOB_STATE")) throw error;
      }
    }
  }

  /** @throws MOD_FACTORY_JOB_STATE while payments wait for the openings that are here */
  async end(job: StoredJob): Promise<StoredJob> {
    const { id, modelId } = job.view;
    const { client, jobs } = this.#needs;
    if (modelId !== null && job.view.isServed) {
      const { closedEpoch, counters } = await getModel(client, modelId);
      if (closedEpoch !== null || counters.paymentCount > 0)
        throw factoryError("MOD_FACTORY_JOB_STATE", `model ${modelId} has payments that are not settled`, {
          data: { reason: "unsettled", id, modelId, epoch: counters.epoch },
        });
    }
    const ended = await jobs.change(id, () => ({ view: { isServed: false } }));
    this.#seen = null;
    if (modelId !== null) await this.#close(modelId);
    return ended;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#following;
    await Promise.all([...this.#open.keys()].map((modelId) => this.#close(modelId)));
  }

  /** Jobs of served models, as they were at most a second ago: anybody may ask for any model. */
  #served(): Promise<StoredJob[]> {
    const atMs = performance.now();
    if (this.#seen === null || atMs - this.#seen.atMs > SEEN_MS)
      this.#seen = { atMs, served: this.#needs.jobs.served() };
    return this.#seen.served;
  }

  async #follow(): Promise<void> {
    const { jobs, logger } = this.#needs;
    const served = new Map((await jobs.served()).map((job) => [job.view.modelId!, job]));
    for (const modelId of this.#open.keys())
      if (!served.has(modelId) && !this.#beginning.has(modelId)) await this.#close(modelId);
    for (const [modelId, job] of served) {
      try {
        await this.#serve(job, modelId);
      } catch (error) {
        logger.error({ err: error, job: job.view.id, modelId }, "the model cannot be served");
      }
    }
  }

  async #serve(job: StoredJob, modelId: number): Promise<Opened> {
    const opening = this.#open.get(modelId) ?? this.#start(job, modelId);
    this.#open.set(modelId, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#open.get(modelId) === opening) this.#open.delete(modelId);
      throw error;
    }
  }

  async #close(modelId: number): Promise<void> {
    const opening = this.#open.get(modelId);
    this.#open.delete(modelId);
    // Whoever opened it got the error.
    await (await opening?.catch(() => undefined))?.close();
  }

  async #start({ view }: StoredJob, modelId: number): Promise<Opened> {
    const { bases, client, config, files, logger, startSettler } = this.#needs;
    const position = view.baseId === null ? OWN_BASE : (await bases.require(view.baseId)).place;
    if (isAddress(position))
      throw factoryError("MOD_FACTORY_JOB_STATE", `the base of job ${view.id} is not on this machine`, {
        data: { reason: "base-elsewhere", id: view.id },
      });
    const folder = join(config.dataPath, "served", String(modelId));
    const modelFolder = join(folder, MODEL_FOLDER);
    for (const { name } of await files.list(view.id, "model"))
      await files.fetch(view.id, "model", name, join(modelFolder, name));
    const report = startSettler === undefined ? undefined : new SettlingReport(modelId);
    const models = await AnswerModels.open(
      [{ modelId, folder: modelFolder }],
      {
        ...config,
        adaptersFolder: join(folder, "adapters"),
        database: this.#needs.database,
        basePath: position === OWN_BASE ? BASE_FOLDER : position,
        kernels: config.kernels as KernelChoice,
        heldBytes: HELD_BYTES,
        scores: "int32",
        domain: client.domain,
        rollupAddress: client.rollupAddress,
        origin: () =>
          `${(config.publicUrl === "" ? this.#url : config.publicUrl).replace(/\/+$/, "")}${LEDGER_PATH}`,
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
