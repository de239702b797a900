/** A small base whose tokens are bytes or words, adapters beside it, and a server over them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { folderSource } from "../engine/files/folder-source.ts";
import { openModel } from "../engine/files/load-model.ts";
import { trainTokenizer } from "../engine/tokens/train-tokenizer.ts";
import { type ServedModels, serveModels } from "../serving/serve-models.ts";
import { readServingConfig, type ServingConfig } from "../serving/serving-config.ts";
import { makeAdapter, writeMadeAdapter } from "./made-adapters.ts";
import { madeConfigs, makeModel, writeMadeModel } from "./made-models.ts";

const RANKS = [8, 4, 16];

const WORDS = "the whale and the sea and the ship, then the whale again; ";

/**
 * Writes the base and `adapterCount` adapters, "a0" on.
 *
 * @param vocabularySize above 256, tokens are bytes and parts of words
 */
export async function writeServingWorld(
  folder: string,
  adapterCount: number,
  vocabularySize = 256,
): Promise<void> {
  const config = { ...madeConfigs.llama, vocab_size: vocabularySize, max_position_embeddings: 512 };
  await writeMadeModel(join(folder, "base"), makeModel(config, "serving"));
  if (vocabularySize > 256) {
    const recipe = { vocabularySize, specialTokens: [] };
    await writeFile(join(folder, "base", "tokenizer.json"), trainTokenizer([WORDS], recipe));
  }
  const opened = await openModel(folderSource(join(folder, "base")));
  await opened.close();
  for (let i = 0; i < adapterCount; i++) {
    const settings = { rank: RANKS[i % RANKS.length]!, alpha: 16, targets: ["q_proj", "v_proj"] as const };
    const numbers = makeAdapter(opened.shape, settings, `serving ${i}`);
    await writeMadeAdapter(join(folder, "adapters", `a${i}`), opened.shape, settings, numbers);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
type Modules = Parameters<typeof serveModels>[1];

/** A server on any free port, with WebAssembly, which needs no compiler. */
export function serveWorld(
  folder: string,
  settings: Environment = {},
  modules: Modules = {},
): Promise<ServedModels> {
  return serveTested(worldSettings(folder, settings), modules);
}

/** A server whose database is made for it, and dropped when it closes, unless `SERVING_DATABASE_URL` names one. */
export async function serveTested(settings: Environment, modules: Modules = {}): Promise<ServedModels> {
  if (settings.SERVING_DATABASE_URL !== undefined) return serveModels(readServingConfig(settings), modules);
  const database = await createTestDatabase();
  try {
    const config = readServingConfig({ ...settings, SERVING_DATABASE_URL: database.url });
    const served = await serveModels(config, modules);
    return {
      ...served,
      async close() {
        await served.close();
        await database.drop();
      },
    };
  } catch (error) {
    await database.drop();
    throw error;
  }
}

/** @param settings undefined for one that is not set */
export const worldConfig = (folder: string, settings: Environment = {}): ServingConfig =>
  readServingConfig(worldSettings(folder, settings));

/** Environment of a server over the folder's base and adapters. */
export const worldSettings = (folder: string, settings: Environment): Environment => ({
  SERVING_BASE_PATH: join(folder, "base"),
  SERVING_ADAPTERS_PATH: join(folder, "adapters"),
  SERVING_DATA_PATH: join(folder, "data"),
  SERVING_PORT: "0",
  SERVING_KERNELS: "wasm",
  SERVING_KV_MEGABYTES: "8",
  SERVING_ADAPTER_MEGABYTES: "1",
  SERVING_LOG_LEVEL: "silent",
  ...settings,
});
