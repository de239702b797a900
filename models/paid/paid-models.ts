/**
 * Registered language models behind the server of adapters. Each has the routes of attribution/server below /ledger/ID,
 * so whoever pays, settles or checks finds what he finds there; only its answers are made in a batch.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { readModelFiles } from "../../attribution/model/model-directory.ts";
import { decodeModel } from "../../attribution/model/model-files.ts";
import type { AnswerDesk } from "../../attribution/server/answer-desk.ts";
import { AnswerStore } from "../../attribution/server/answer-store.ts";
import { createLedgerView } from "../../attribution/server/ledger-view.ts";
import { createModelServer, type ServerLog } from "../../attribution/server/model-server.ts";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import type { RollupError } from "../../circuits/rollup-error.ts";
import { ONE_DAY_MS } from "../../circuits/settings.ts";
import { type TextParts, textFamily } from "../registered/text-family.ts";
import type { TextSetting } from "../registered/text-model.ts";
import type { TextRecipe } from "../registered/text-recipe.ts";

export interface PaidModelsOptions {
  /** Folders of published models, each named by its model's leaf. */
  readonly folder: string;
  /** Adapters of registered models are written here, as "model-ID". */
  readonly adaptersFolder: string;
  /** Where answers and openings are kept: whoever loses it leaves paid answers unopened, and their draws void. */
  readonly dataFolder: string;
  readonly sequencerUrl: string;
  /** Of the rollup. */
  readonly domain: bigint;
  readonly answerTtlMs: number;
  readonly rateLimitPerMinute: number;
}

export interface PaidModel {
  readonly modelId: number;
  readonly recipe: TextRecipe;
  readonly desk: AnswerDesk;
}

export interface PaidModels {
  /** By the names of their adapters. */
  readonly models: ReadonlyMap<string, PaidModel>;
  readonly mounts: ReadonlyMap<string, FastifyInstance>;
  /** Resolves when answers cannot be kept or read any more: the server must end. */
  readonly failed: Promise<RollupError>;
  close(): Promise<void>;
}

/** Payments may come late, so unpaid answers are kept for 30 days. */
const KEEP_UNPAID_MS = 30 * ONE_DAY_MS;
const SWEEP_MS = 3_600_000;

/**
 * Opens every registered model of a folder. Each holds its map of queries and a copy of the base.
 *
 * @throws RollupError ATT_MODEL_FILE_INVALID, ATT_FAMILY_UNKNOWN, ATT_STORE_LOCKED, ATT_STORE_CORRUPT, MOD_BASE_MISSING
 */
export async function openPaidModels(
  options: PaidModelsOptions,
  setting: TextSetting,
  modules: { log: ServerLog; nowMs?: () => number },
): Promise<PaidModels> {
  await initPoseidon();
  const models = new Map<string, PaidModel>();
  const mounts = new Map<string, FastifyInstance>();
  const stores: AnswerStore[] = [];
  let fail!: (error: RollupError) => void;
  const failed = new Promise<RollupError>((resolve) => {
    fail = resolve;
  });
  const nowMs = modules.nowMs ?? Date.now;
  const sweep = async () => {
    for (const store of stores) await store.forgetUnpaid(nowMs() - KEEP_UNPAID_MS);
  };
  // A store that fails says so by itself.
  const sweeping = setInterval(() => void sweep().catch(() => undefined), SWEEP_MS);
  sweeping.unref();
  const close = async () => {
    clearInterval(sweeping);
    for (const app of mounts.values()) await app.close();
    for (const store of stores) await store.close();
  };
  try {
    const names = (await readdir(options.folder)).filter((name) => /^\d{1,8}$/.test(name)).sort();
    const families = [textFamily(setting)];
    for (const name of names) {
      const files = await readModelFiles(join(options.folder, name));
      const { adapter, recipe } = decodeModel<TextParts>(files, families);
      const store = await AnswerStore.open(join(options.dataFolder, name), fail);
      stores.push(store);
      const modelId = Number(name);
      const { answerTtlMs, domain, rateLimitPerMinute, sequencerUrl } = options;
      const served = { modelId, domain, answerTtlMs, rateLimitPerMinute, families };
      const ledger = createLedgerView(sequencerUrl);
      const { app, desk } = await createModelServer(files, served, { ...modules, ledger, store });
      mounts.set(`/ledger/${modelId}`, app);
      models.set(`model-${modelId}`, { modelId, recipe, desk });
      await writeAdapter(join(options.adaptersFolder, `model-${modelId}`), recipe, adapter);
    }
    return { models, mounts, failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** As PEFT keeps it: the published file, and a configuration with what the recipe says. */
async function writeAdapter(folder: string, { adapter, base }: TextRecipe, bytes: Uint8Array): Promise<void> {
  const config = {
    peft_type: "LORA",
    base_model_name_or_path: base.name,
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    target_modules: adapter.targets,
    bias: "none",
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeFile(join(folder, "adapter_model.safetensors"), bytes);
}
