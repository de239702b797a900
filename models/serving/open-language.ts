/**
 * Opens a base (a published language model) and its adapters to answer in batches by OpenAI's routes; serve-models.ts
 * calls it where a base is set.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@openledger/foundation/logger";
import type { Registry } from "prom-client";
import { AdapterPool } from "../engine/adapters/adapter-pool.ts";
import { AdapterStore } from "../engine/adapters/adapter-store.ts";
import { usualWeights, type WeightNumbers } from "../engine/architecture/model-shape.ts";
import { loadBatchModel } from "../engine/batches/batch-model.ts";
import { weightsOf } from "../engine/files/base-weights.ts";
import { folderSource } from "../engine/files/folder-source.ts";
import { openModel } from "../engine/files/load-model.ts";
import { readVocabulary } from "../engine/tokens/spelled-vocabulary.ts";
import { readEndTokens } from "../engine/tokens/text-marks.ts";
import { openTokenizer } from "../engine/tokens/tokenizer.ts";
import { type AnswerModels, otherWeights } from "./answers/answer-models.ts";
import { LedgerBilling } from "./billing/ledger-billing.ts";
import { chatForm } from "./openai/chat-prompt.ts";
import { CompletionService } from "./openai/completion-service.ts";
import { EmbeddingService } from "./openai/embedding-service.ts";
import { PromptEncoder } from "./openai/prompts/prompt-encoder.ts";
import { TokenNames } from "./openai/token-names.ts";
import type { LanguageRoutes } from "./serving-app.ts";
import { registeredAdapters, type ServingConfig } from "./serving-config.ts";
import { ServingEngine } from "./serving-engine.ts";
import { createServingMetrics, watchEngine } from "./serving-metrics.ts";

const MEGABYTE = 2 ** 20;
/** Tokens of a turn in the queue. */
const QUANTUM = 512;

export interface OpenedLanguage {
  readonly routes: LanguageRoutes;
  readonly adapterCount: number;
  readonly kernels: string;
  readonly weights: WeightNumbers;
  close(): Promise<void>;
}

/**
 * @param models registered models, whose answers by OpenAI's routes are charged for; null if none are published
 * @throws RollupError of the files of the base: MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, …; MOD_TOO_LARGE; SRV_CONFIG_INVALID
 *   where registered models answer by other weights than the settings'
 */
export async function openLanguage(
  config: ServingConfig & { readonly basePath: string },
  models: AnswerModels | null,
  { logger, registry }: { readonly logger: Logger; readonly registry: Registry },
): Promise<OpenedLanguage> {
  const { adaptersPath, baseName, basePath, dataPath } = config;
  const source = folderSource(basePath);
  const opened = await openModel(source);
  const { shape } = opened;
  // A receipt's answer is generated again, by the weights that its model's recipe names.
  const weights = models?.weights ?? config.weights ?? usualWeights(opened.layout);
  if (config.weights !== undefined && config.weights !== weights) {
    await opened.close();
    throw otherWeights(weights, config.weights);
  }
  models?.setBatchWeights(weights);
  const load = async () => {
    try {
      const { batch, kernels, maxPositions, threadCount } = config;
      const kvBytes = config.kvMegabytes * MEGABYTE;
      const adapterBytes = config.adapterMegabytes * MEGABYTE;
      return await loadBatchModel(opened, {
        kernels,
        batch,
        maxPositions,
        threadCount,
        weights,
        kvBytes,
        adapterBytes,
      });
    } finally {
      await opened.close();
    }
  };
  const tokens = await openTokenizer(source, shape.vocabularySize);
  const spelled = await readVocabulary(source, tokens, shape.vocabularySize);
  const endTokens = await readEndTokens(source);
  const chat = chatForm(tokens);
  const registered = registeredAdapters(config);
  if (models !== null) await mkdir(registered, { recursive: true });
  const adapterStore = new AdapterStore({
    shape,
    base: () => weightsOf(loaded.models[0]!),
    folders: [
      ...(models === null ? [] : [registered]),
      ...(adaptersPath === undefined ? [] : [adaptersPath]),
    ],
    cacheFolder: join(dataPath, "adapters"),
  });
  const adapterCount = (await adapterStore.names()).length;
  const loaded = await load();
  const { adapters, shared } = loaded;
  const pool = new AdapterPool(
    loaded.models[0]!.kernels.arena,
    adapters.at,
    adapters.floatCount,
    adapterStore,
  );
  const metrics = createServingMetrics(registry);
  const engine = new ServingEngine({
    models: loaded.models.map((model) => ({ ...model, spelled })),
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
  const seat = { basePath, vocabularySize: shape.vocabularySize };
  const encoder = new PromptEncoder(tokens, seat, engine.maxPositions);
  const billing =
    models === null
      ? undefined
      : new LedgerBilling(models.languageModels, { tokens, hasFree: adaptersPath !== undefined });
  const service = new CompletionService(
    {
      baseName,
      vocabularySize: shape.vocabularySize,
      endTokens,
      hasJson: spelled !== null,
      maxBufferedBytes: config.streamBufferBytes,
    },
    {
      engine,
      encoder,
      tokens,
      chat,
      metrics,
      log: logger,
      billing,
      names: new TokenNames(tokens, spelled),
    },
  );
  const embeddings = new EmbeddingService(
    { baseName, vocabularySize: shape.vocabularySize, width: shape.width },
    { engine, encoder, tokens, billing },
  );
  return {
    routes: {
      service,
      embeddings,
      engine,
      adapterStore,
      baseName,
      billing,
      maxPromptBytes: encoder.maxBytes,
    },
    adapterCount,
    kernels: loaded.models[0]!.kernels.name,
    weights,
    async close() {
      await engine.close();
      await encoder.close();
    },
  };
}
