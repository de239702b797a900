/**
 * Registered language models behind the server of adapters. Each has the routes of attribution/server below /ledger/ID,
 * so anyone who pays, settles or checks finds the same; only its answers are made in a batch. What a model needs for
 * its attribution is read when it is asked for, on a thread of its own.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attributionError } from "@openledger/attribution/attribution-errors";
import {
  checkedFile,
  decodeManifest,
  MANIFEST,
  parseJson,
} from "@openledger/attribution/model/model-manifest";
import { ANSWERED_AGAIN, assuranceOf } from "@openledger/attribution/model/reply-assurance";
import { AnswerService } from "@openledger/attribution/server/answer-service";
import { AnswerFolder } from "@openledger/attribution/server/answer-store";
import { createLedgerView } from "@openledger/attribution/server/ledger-view";
import {
  createModelApp,
  type RoutedModel,
  type SettlingSource,
  type SpanSource,
} from "@openledger/attribution/server/model-routes";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ServerLog } from "@openledger/foundation/http/http-errors";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { ONE_DAY_MS } from "@openledger/foundation/settings";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { FastifyInstance } from "fastify";
import type { WeightNumbers } from "../architecture/model-shape.ts";
import { folderSource } from "../files/folder-source.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { readBaseFile, readFrom, shapeOfBase } from "../registered/base-files.ts";
import type { ReadPrompt } from "../registered/read-prompt.ts";
import { parseTextRecipe, type TextRecipe, weightsOf } from "../registered/text-recipe.ts";
import { startAttribution } from "./attribution-thread.ts";

export interface PaidModelsOptions extends ServerLimits {
  /** Folders of published models, each named by its model's leaf. */
  readonly folder: string;
  /** Adapters of registered models are written here, as "model-ID". */
  readonly adaptersFolder: string;
  /** Where answers and openings are kept: anyone who loses it leaves paid answers unopened, and their draws void. */
  readonly dataFolder: string;
  /** The base of all of them. */
  readonly basePath: string;
  readonly kernels: KernelChoice;
  /** Of adapters, maps and features of models that are held for attribution at once. */
  readonly heldBytes: number;
  readonly sequencerUrl: string;
  /** Of the rollup. */
  readonly domain: bigint;
  /** Whose payments open the answers. */
  readonly rollup: StoreRollup;
  readonly answerTtlMs: number;
  /** Reports of what settles the models' epochs beside the server, by their leaves. */
  readonly settling?: ReadonlyMap<number, SettlingSource>;
  /** Indexes of versions' texts, each by the root of its version (64 hexadecimal digits): docs/explanation/spans.md. */
  readonly spans?: ReadonlyMap<string, SpanSource> | undefined;
}

export interface PaidModel {
  readonly modelId: number;
  readonly recipe: TextRecipe;
  /** Of the base: answers are generated again by these. */
  readonly weights: WeightNumbers;
  readonly service: AnswerService;
  /** The query of an answer that a batch has made. */
  queryOf(prompt: string, text: string): Promise<Int16Array>;
  /** What the model reads for a prompt, where that is more than the prompt. */
  read(prompt: string): Promise<ReadPrompt>;
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
const MOUNT = "/ledger";
const NEWLINE = 10;

/**
 * Opens every registered model of a folder: recipe, manifest and adapter are read, the rest when it is asked for.
 *
 * @throws RollupError ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, MOD_BASE_MISSING
 *   where the base is not that of all of them
 */
export async function openPaidModels(
  options: PaidModelsOptions,
  modules: { log: ServerLog; nowMs?: () => number },
): Promise<PaidModels> {
  await initPoseidon();
  const { basePath, dataFolder, folder, kernels, heldBytes, sequencerUrl } = options;
  const published = await readPublished(options);
  let fail!: (error: RollupError) => void;
  const failed = new Promise<RollupError>((resolve) => {
    fail = resolve;
  });
  const answers = await AnswerFolder.open(dataFolder, options.rollup, fail);
  const closing: (() => Promise<unknown>)[] = [() => answers.close()];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const recipes = published.map(({ recipe }) => recipe);
    const thread =
      published.length === 0
        ? null
        : await startAttribution({ basePath, kernels, folder, recipes, heldBytes });
    if (thread !== null) closing.push(() => thread.close());
    const ledger = createLedgerView(sequencerUrl);
    const bases = [readFrom(folderSource(basePath))];
    const models = new Map<string, PaidModel>();
    const routed = new Map<string, RoutedModel>();
    for (const { manifest, modelId, recipe } of published) {
      const weights = weightsOf(recipe, await shapeOfBase(recipe.base, bases));
      const own = answers.ofModel(modelId);
      const work = {
        staticsHash: BigInt(manifest.staticsHash),
        answer: (prompt: string, onText?: (soFar: string) => void) =>
          thread!.run("answer", { modelId, prompt }, { onPart: onText }),
        estimate: (query: Int16Array) => thread!.run("estimate", { modelId, query }),
      };
      const service = new AnswerService(work, { ...options, modelId }, { ...modules, ledger, store: own });
      const queryOf = (prompt: string, text: string) => thread!.run("queryOf", { modelId, prompt, text });
      models.set(`model-${modelId}`, {
        ...{ modelId, recipe, weights, service, queryOf },
        read: (prompt) => thread!.run("read", { modelId, prompt }),
      });
      const file = (name: string) => readFile(join(folder, String(modelId), name));
      routed.set(String(modelId), {
        modelId,
        manifest,
        scoreMode: "int32",
        assurance: assuranceOf(recipe, ANSWERED_AGAIN),
        service,
        store: own,
        file,
        sharedFile: (name) => readBaseFile(recipe.base, name, bases),
        settling: options.settling?.get(modelId),
        spans: options.spans?.get(recipe.datanet.rowsRoot.slice(2)),
        row: async (place) =>
          "rows.jsonl" in manifest.files ? lineOf(await file("rows.jsonl"), place) : null,
      });
    }
    const find = (id: string): RoutedModel => {
      const model = routed.get(id);
      if (model !== undefined) return model;
      throw attributionError("SRV_BAD_REQUEST", `no model ${id.slice(0, 20)} is served here`);
    };
    const app = await createModelApp({ prefix: "/:model", limits: options, find }, modules.log);
    closing.push(() => app.close());
    const nowMs = modules.nowMs ?? Date.now;
    const sweep = async () => {
      for (const { store } of routed.values()) await store.forgetUnpaid(nowMs() - KEEP_UNPAID_MS);
    };
    // A store that fails says so by itself.
    const sweeping = setInterval(() => void sweep().catch(() => undefined), SWEEP_MS);
    sweeping.unref();
    closing.push(async () => clearInterval(sweeping));
    return { models, mounts: new Map([[MOUNT, app]]), failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** In the order of their leaves; each one's adapter is put where the server reads adapters. */
async function readPublished({ adaptersFolder, folder }: PaidModelsOptions) {
  const ids = (await readdir(folder)).filter((name) => /^\d{1,8}$/.test(name)).map(Number);
  const found = [];
  for (const modelId of ids.sort((a, b) => a - b)) {
    const files = new Map<string, Uint8Array>();
    for (const name of [MANIFEST, "recipe.json", "parameters.bin"]) {
      const bytes = await readFile(join(folder, String(modelId), name)).catch(ifThere);
      if (bytes !== null) files.set(name, bytes);
    }
    const manifest = decodeManifest(files);
    const recipe = parseTextRecipe(parseJson(checkedFile(files, manifest, "recipe.json"), "recipe.json"));
    const adapter = checkedFile(files, manifest, "parameters.bin");
    await writeAdapter(join(adaptersFolder, `model-${modelId}`), recipe, adapter);
    found.push({ modelId, manifest, recipe });
  }
  return found;
}

/** As PEFT keeps it: the published file, and a configuration with what the recipe says. What is there already stays. */
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
  await writeChanged(
    join(folder, "adapter_config.json"),
    Buffer.from(`${JSON.stringify(config, null, 2)}\n`),
  );
  await writeChanged(join(folder, "adapter_model.safetensors"), bytes);
}

function ifThere(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

/** A file that was written again would be compiled again. */
async function writeChanged(path: string, bytes: Uint8Array): Promise<void> {
  const old = await readFile(path).catch(ifThere);
  if (old === null || !old.equals(bytes)) await writeFile(path, bytes);
}

/** The line without its end; null behind the last. */
function lineOf(bytes: Uint8Array, place: number): Uint8Array | null {
  let from = 0;
  for (let i = 0; i < place && from < bytes.length; i++) {
    const end = bytes.indexOf(NEWLINE, from);
    from = end < 0 ? bytes.length : end + 1;
  }
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 ? null : bytes.subarray(from, end);
}
