/**
 * The answer server: one process for models of every family. Published models answer for receipts, and a base with its
 * adapters answers by OpenAI's routes, free of charge if they are not registered.
 */
import type { Database } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import type { HttpErrors } from "@openledger/foundation/http/http-errors";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import { claimStore, type StoreRollup } from "@openledger/foundation/store/store-identity";
import type { FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { servingError } from "../model-errors.ts";
import { OWN_BASE } from "../tuning/base/base-address.ts";
import { AnswerModels, listPublished, type ModelLocation } from "./answers/answer-models.ts";
import { LEDGER_PATH, type SettlingSource } from "./answers/answer-routes.ts";
import { ANSWERS_PART } from "./answers/answer-store.ts";
import { ApiKeys } from "./api-keys.ts";
import { type OpenedLanguage, openLanguage } from "./open-language.ts";
import { createServingApp } from "./serving-app.ts";
import { openKeys, registeredAdapters, type ServingConfig } from "./serving-config.ts";
import { createServerMetrics } from "./serving-metrics.ts";

const MEGABYTE = 2 ** 20;
/** Store of no rollup: adapters are there by the hashes of their bytes. */
const STORE = { kind: "answer-server", rollup: null } as const;
/** Time between two looks for new published models. */
const LOOK_INTERVAL_MS = 2_000;

/** Settles the epochs of a model that is served. */
export interface ModelSettler {
  /** Report of a model's settling, before it is served. */
  reportOf(modelId: number): SettlingSource;
  /** Begins once the model is served. @param serverUrl of the model's routes */
  start(order: ModelLocation & { readonly serverUrl: string }): Promise<{ stop(): Promise<void> }>;
}

/** Sources of published models: their places, and the ledger that they are paid on. */
export interface PublishedModels {
  /** Models to serve; default: those of the settings' folder, also those that come later. */
  readonly locations?: readonly ModelLocation[];
  readonly sequencerUrl: string;
  /** Domain of the rollup. */
  readonly domain: bigint;
  readonly rollup: StoreRollup;
  /** Absent if this server settles nothing. */
  readonly settler?: ModelSettler | undefined;
  /** Time between two reads of payments; default two seconds. */
  readonly pollIntervalMs?: number;
  /** Time between two looks for withdrawn rows; default a minute. */
  readonly withdrawalsEveryMs?: number;
}

interface ServeModules {
  readonly logger?: Logger;
  /** Absent if all answers are free. */
  readonly published?: PublishedModels | undefined;
  readonly nowMs?: () => number;
}

export interface ServedModels {
  readonly url: string;
  /** null if no base is served. */
  readonly language: Pick<OpenedLanguage, "adapterCount" | "kernels" | "weights"> | null;
  /** null if none are published. */
  readonly models: AnswerModels | null;
  close(): Promise<void>;
}

/**
 * Serves models until it is closed.
 *
 * @throws RollupError SRV_CONFIG_INVALID if nothing is to be served, SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_DATABASE_…; what `AnswerModels.open` and
 *   `openLanguage` throw; what the settler's `start` throws of models that are there at the start
 */
export async function serveModels(config: ServingConfig, modules: ServeModules = {}): Promise<ServedModels> {
  const { basePath, dataPath, publishedPath } = config;
  const { nowMs, published } = modules;
  const logger = modules.logger ?? createLogger("models", config.logLevel);
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    if (basePath === undefined && published === undefined)
      throw servingError("SRV_CONFIG_INVALID", "there is nothing to serve: name a base or published models", {
        data: { problems: [{ variable: "SERVING_BASE_PATH" }, { variable: "SERVING_PUBLISHED_PATH" }] },
      });
    claimStore(dataPath, STORE);
    const keysDatabase = await openKeys(config, logger);
    closing.push(() => keysDatabase.close());
    const keys = new ApiKeys(keysDatabase);
    const registry = new Registry();
    const metrics = createServerMetrics(registry, keysDatabase);
    const onRefusal = ({ code }: { readonly code: string }) => metrics.errors.inc({ code });
    let models: AnswerModels | null = null;
    let ownUrl = "";
    if (published !== undefined) {
      const database = await openDatabase(config, { part: ANSWERS_PART, rollup: published.rollup, logger });
      closing.push(() => database.close());
      const more = nowMs === undefined ? {} : { nowMs };
      const origin = () =>
        `${config.publicUrl === "" ? ownUrl : config.publicUrl.replace(/\/+$/, "")}${LEDGER_PATH}`;
      models = await openPublished(
        config,
        { ...published, database },
        { logger, onRefusal, origin, ...more },
      );
      closing.push(() => models!.close());
    }
    let app: FastifyInstance | undefined;
    closing.push(async () => app?.close());
    let language: OpenedLanguage | null = null;
    if (basePath !== undefined) {
      language = await openLanguage({ ...config, basePath }, models, { logger, registry });
      closing.push(() => language!.close());
    }
    app = await createServingApp({
      registry,
      keys,
      isReachable: () => keysDatabase.isReachable(),
      limits: config,
      log: logger,
      onRefusal,
      language: language?.routes ?? null,
      ledger: models?.app ?? null,
      askPathOf: (name) => models?.askPathOf(name) ?? null,
    });
    const url = await app.listen({ host: config.host, port: config.port });
    ownUrl = url;
    if (models !== null) {
      const settling = new Settling(url, published!.settler);
      closing.push(() => settling.stop());
      const locations = published!.locations ?? (await listPublished(publishedPath!));
      for (const published of locations) if (models.has(published.modelId)) await settling.start(published);
      if (published!.locations === undefined) {
        const looking = lookForModels(publishedPath!, models, settling, logger);
        closing.push(() => looking.stop());
      }
    }
    const modelIds = models?.modelIds ?? [];
    logger.info({ url, adapterCount: language?.adapterCount, modelIds }, "models are served");
    return {
      url,
      language,
      models,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Path of a model's routes. */
export const modelUrl = (url: string, modelId: number): string => `${url}${LEDGER_PATH}/${modelId}`;

async function openPublished(
  config: ServingConfig,
  published: PublishedModels & { readonly database: Database },
  {
    logger,
    origin,
    ...modules
  }: Pick<HttpErrors, "onRefusal"> & {
    readonly logger: Logger;
    readonly origin: () => string;
    readonly nowMs?: () => number;
  },
): Promise<AnswerModels> {
  const { database, domain, pollIntervalMs, sequencerUrl, settler, withdrawalsEveryMs } = published;
  const locations = published.locations ?? (await listPublished(config.publishedPath!));
  const options = {
    ...config,
    adaptersFolder: registeredAdapters(config),
    database,
    basePath: config.basePath ?? OWN_BASE,
    heldBytes: config.attributionMegabytes * MEGABYTE,
    answerTtlMs: 1_000 * config.answerTtlSeconds,
    sequencerUrl,
    domain,
    rollupAddress: published.rollup.rollupAddress,
    origin,
    withdrawalsEveryMs,
    settlingOf: settler === undefined ? undefined : (modelId: number) => settler.reportOf(modelId),
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
  };
  return AnswerModels.open(locations, options, { log: logger, ...modules });
}

/** Settlers of the served models. */
class Settling {
  readonly #url: string;
  readonly #settler: ModelSettler | undefined;
  readonly #running: { stop(): Promise<void> }[] = [];

  constructor(url: string, settler: ModelSettler | undefined) {
    this.#url = url;
    this.#settler = settler;
  }

  async start(location: ModelLocation): Promise<void> {
    if (this.#settler === undefined) return;
    const order = { ...location, serverUrl: modelUrl(this.#url, location.modelId) };
    this.#running.push(await this.#settler.start(order));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()));
  }
}

/** Serves models that are put into the folder later. The error of one is logged once. */
function lookForModels(folder: string, models: AnswerModels, settling: Settling, logger: Logger) {
  const loggedErrors = new Map<number, string>();
  const stopping = new AbortController();
  const look = async () => {
    for (const published of await listPublished(folder)) {
      const { modelId } = published;
      if (models.has(modelId) || stopping.signal.aborted) continue;
      try {
        await models.add(published);
        await settling.start(published);
        loggedErrors.delete(modelId);
        logger.info({ modelId }, "the model is served");
      } catch (error) {
        const message = (error as Error).message;
        if (loggedErrors.get(modelId) !== message)
          logger.error({ err: error, modelId }, "the model cannot be served");
        loggedErrors.set(modelId, message);
      }
    }
  };
  let running = Promise.resolve();
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    running = look()
      .catch((error: unknown) => logger.error({ err: error }, "published models cannot be looked for"))
      .finally(() => {
        isBusy = false;
      });
  }, LOOK_INTERVAL_MS);
  return {
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await running;
    },
  };
}
