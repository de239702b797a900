import { join } from "node:path";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import type { FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { AdapterPool } from "../adapters/adapter-pool.ts";
import { AdapterStore } from "../adapters/adapter-store.ts";
import { usualWeights, type WeightNumbers } from "../architecture/model-shape.ts";
import { loadBatchModel } from "../batches/batch-model.ts";
import { folderSource } from "../files/folder-source.ts";
import { openModel } from "../files/load-model.ts";
import { servingError } from "../model-errors.ts";
import { readVocabulary } from "../tokens/spelled-vocabulary.ts";
import { readChatTemplate, readEndTokens } from "../tokens/text-marks.ts";
import { openTokenizer } from "../tokens/tokenizer.ts";
import type { AnswerBilling } from "./answer-billing.ts";
import { ApiKeys } from "./api-keys.ts";
import { chatForm } from "./chat-prompt.ts";
import { CompletionService } from "./completion-service.ts";
import { PromptEncoder } from "./prompts/prompt-encoder.ts";
import { createServingApp } from "./serving-app.ts";
import type { ServingConfig } from "./serving-config.ts";
import { ServingEngine } from "./serving-engine.ts";
import { createServingMetrics, watchEngine } from "./serving-metrics.ts";
import { TokenNames } from "./token-names.ts";

const MEGABYTE = 2 ** 20;
/** Tokens of a turn in the queue. */
const QUANTUM = 512;

export interface ServedAdapters {
  readonly url: string;
  readonly adapterCount: number;
  readonly kernels: string;
  readonly weights: WeightNumbers;
  close(): Promise<void>;
}

interface ServeModules {
  readonly logger?: Logger;
  /** Absent where answers cost nothing. */
  readonly billing?: AnswerBilling | undefined;
  /** Other servers' routes by what their paths begin with. */
  readonly mounts?: ReadonlyMap<string, FastifyInstance> | undefined;
}

/**
 * Serves a base and a folder of adapters until it is closed.
 *
 * @throws RollupError of the files of the base: MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, …; MOD_TOO_LARGE; SRV_CONFIG_INVALID of the keys
 */
export async function serveAdapters(
  config: ServingConfig,
  modules: ServeModules = {},
): Promise<ServedAdapters> {
  const logger = modules.logger ?? createLogger("models", config.logLevel);
  const source = folderSource(config.basePath);
  const opened = await openModel(source);
  const { shape } = opened;
  // A receipt's answer is generated again, by the weights that its model's recipe names.
  const weights = modules.billing?.weights ?? config.weights ?? usualWeights(opened.layout);
  if (config.weights !== undefined && config.weights !== weights) {
    await opened.close();
    const message = `registered models answer by ${weights} weights, not by ${config.weights}`;
    throw servingError("SRV_CONFIG_INVALID", message, {
      data: { problems: [{ variable: "SERVING_WEIGHTS" }] },
    });
  }
  const load = async () => {
    try {
      const { batch, kernels, maxPositions, threadCount } = config;
      const memory = {
        kvBytes: config.kvMegabytes * MEGABYTE,
        adapterBytes: config.adapterMegabytes * MEGABYTE,
      };
      return await loadBatchModel(opened, {
        ...{ kernels, batch, maxPositions, threadCount, weights, ...memory },
      });
    } finally {
      await opened.close();
    }
  };
  const tokens = await openTokenizer(source, shape.vocabularySize);
  const spelled = await readVocabulary(source, tokens, shape.vocabularySize);
  const keys = new ApiKeys(config.dataPath, logger);
  const endTokens = await readEndTokens(source);
  const chat = chatForm(tokens, await readChatTemplate(source));
  const adapterStore = new AdapterStore({
    shape,
    folder: config.adaptersPath,
    cacheFolder: join(config.dataPath, "adapters"),
  });
  const adapterCount = (await adapterStore.names()).length;
  const { adapters, models, shared } = await load();
  const pool = new AdapterPool(models[0]!.kernels.arena, adapters.at, adapters.floatCount, adapterStore);
  const registry = new Registry();
  const metrics = createServingMetrics(registry);
  const engine = new ServingEngine({
    models: models.map((model) => ({ ...model, spelled })),
    shared,
    pool,
    limits: { maxQueued: config.maxQueued, maxQueuedPerTenant: config.maxQueuedPerTenant, quantum: QUANTUM },
    observer: {
      onFirstToken: (seconds, isCold) =>
        metrics.firstToken.observe({ adapter: isCold ? "cold" : "warm" }, seconds),
      onStep: (seconds) => metrics.step.observe(seconds),
    },
  });
  watchEngine(registry, engine, pool);
  const { baseName } = config;
  const seat = { basePath: config.basePath, vocabularySize: shape.vocabularySize };
  const encoder = new PromptEncoder(tokens, seat, engine.maxPositions);
  const service = new CompletionService(
    {
      ...{ baseName, vocabularySize: shape.vocabularySize, endTokens, hasJson: spelled !== null },
      maxBufferedBytes: config.streamBufferBytes,
    },
    {
      ...{ engine, encoder, tokens, chat, metrics, log: logger, billing: modules.billing },
      names: new TokenNames(tokens, spelled),
    },
  );
  const { billing, mounts } = modules;
  const app = await createServingApp({
    ...{ service, engine, adapterStore, registry, baseName, keys, limits: config },
    ...{ maxPromptBytes: encoder.maxBytes, log: logger, billing, mounts },
  });
  const url = await app.listen({ host: config.host, port: config.port });
  const { name } = models[0]!.kernels;
  logger.info({ url, adapterCount, kernels: name, weights }, "adapters are served");
  return {
    url,
    adapterCount,
    kernels: name,
    weights,
    async close() {
      await engine.close();
      await encoder.close();
      await app.close();
    },
  };
}
