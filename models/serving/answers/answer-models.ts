/**
 * Registered models of one server, of any family (kind of model): those that the ledger has, so that answers are paid
 * for. Each has the routes of answer-routes.ts below /ledger/ID, and all have one database of answers, one watcher of
 * payments, and one thread beside HTTP that computes answers, queries and estimates. What a model needs for these is
 * read when it is asked for. serve-models.ts opens them.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { directFamilyOf } from "@openledger/attribution/model/direct/direct-family";
import type { Chat } from "@openledger/attribution/model/model-chat";
import { familyOf, type ModelFamily } from "@openledger/attribution/model/model-family";
import { decodePayees } from "@openledger/attribution/model/model-files";
import {
  checkedFile,
  decodeManifest,
  MANIFEST,
  type ModelManifest,
  parseJson,
  ROWS_FILE,
} from "@openledger/attribution/model/model-manifest";
import { DIRECT, type RecipeBase, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { ANSWERED_AGAIN, assuranceOf } from "@openledger/attribution/model/reply-assurance";
import type { ScoreChoice } from "@openledger/attribution/scores/score-engine";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import { type Card, readCardBytes } from "@openledger/datanets/card/card";
import type { Database } from "@openledger/foundation/database/database";
import type { HttpErrors } from "@openledger/foundation/http/http-errors";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { Secret } from "@openledger/foundation/secret";
import type { FastifyInstance } from "fastify";
import type { WeightNumbers } from "../../engine/architecture/model-shape.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { servingError } from "../../model-errors.ts";
import { baseSourceAt } from "../../tuning/base/base-address.ts";
import { readFrom, shapeOfBase } from "../../tuning/recipe/base-files.ts";
import type { ReadPrompt } from "../../tuning/recipe/read-prompt.ts";
import { textFamily } from "../../tuning/recipe/text-family.ts";
import { isCiting, type TextRecipe, weightsOf } from "../../tuning/recipe/text-recipe.ts";
import { readVectorsFrom } from "../../tuning/vectors/vector-places.ts";
import { createModelApp, LEDGER_PATH, type RoutedModel, type SettlingSource } from "./answer-routes.ts";
import { AnswerService } from "./answer-service.ts";
import { AnswerStore } from "./answer-store.ts";
import { AttributionThread } from "./attribution-thread.ts";
import { readSignedFigure } from "./figure-file.ts";
import { createLedgerView, type LedgerView } from "./ledger-view.ts";
import { RowLines } from "./row-lines.ts";
import { RowReaders } from "./row-readers.ts";
import { requireServedTerms, type UnknownTerms } from "./served-terms.ts";
import { watchPayments } from "./watch-payments.ts";
import { ModelWithdrawals, WithdrawnRows } from "./withdrawn-rows.ts";

/** A registered model's leaf, and the folder with its published files. */
export interface ModelLocation {
  readonly modelId: number;
  readonly folder: string;
}

export interface AnswerModelsOptions extends ServerLimits {
  /** Adapters of language models are written here, as "model-ID". */
  readonly adaptersFolder: string;
  /** Answers and openings (`ANSWERS_PART`). Anyone who loses them leaves paid answers unopened, and their draws void. */
  readonly database: Database;
  /** Base of the language models: a folder, an address, or the built-in one. */
  readonly basePath: string;
  readonly kernels: KernelChoice;
  /** Limit of the files of the models used last that stay in memory. */
  readonly heldBytes: number;
  /** Choice of what computes the scores of estimates. */
  readonly scores: ScoreChoice;
  readonly sequencerUrl: string;
  /** Token of the sequencer operator's own servers; absent for others. */
  readonly serverToken?: Secret<string> | undefined;
  /** Domain of the rollup, and its address. */
  readonly domain: bigint;
  readonly rollupAddress: string;
  /** Hosts that are asked for withdrawn rows, and for the terms of a model's rows where its recipe has none; default: nobody is asked. */
  readonly datanetHosts?: readonly string[];
  /** Time between two looks for rows that their contributors have withdrawn, at these hosts; default a minute. */
  readonly withdrawalsEveryMs?: number | undefined;
  /** Address below which the models' routes are, by which requests for rows are signed. Default: none are taken. */
  readonly origin?: () => string;
  readonly answerTtlMs: number;
  /** Time between two reads of payments beside those that questions cause; default two seconds. */
  readonly pollIntervalMs?: number;
  /** Report of the settling of a model's epochs beside the server. */
  readonly settlingOf?: ((modelId: number) => SettlingSource | undefined) | undefined;
}

/** A registered language model whose answers may be made in a batch. */
export interface LanguageModel {
  readonly modelId: number;
  readonly recipe: TextRecipe;
  /** Weights of the base that answers are generated again by. */
  readonly weights: WeightNumbers;
  readonly service: AnswerService;
  /** The query of an answer that a batch has made. */
  queryOf(prompt: string, text: string): Promise<Int16Array>;
  /** Canonical text of a chat, rendered beside the thread that serves HTTP. */
  chatPrompt(chat: Chat): Promise<string>;
  /** Reads a prompt as the model does, if that is more than the prompt. */
  read(prompt: string): Promise<ReadPrompt>;
}

interface Published extends ModelLocation {
  readonly manifest: ModelManifest;
  readonly recipe: RecipeBase;
  /** Recipe of a language model; null for other families. */
  readonly text: TextRecipe | null;
  readonly weights: WeightNumbers | null;
  readonly unknownTerms: UnknownTerms;
}

type Modules = Pick<HttpErrors, "log" | "onRefusal"> & { readonly nowMs?: () => number };

const POLL_INTERVAL_MS = 2_000;

/** Folders of published models, each named by its model's leaf, in the order of the leaves. */
export async function listPublished(folder: string): Promise<ModelLocation[]> {
  const ids = (await readdir(folder)).filter((name) => /^\d{1,8}$/.test(name)).map(Number);
  return ids.sort((a, b) => a - b).map((modelId) => ({ modelId, folder: join(folder, String(modelId)) }));
}

export class AnswerModels {
  readonly #options: AnswerModelsOptions;
  readonly #modules: Modules;
  readonly #ledger: LedgerView;
  readonly #readers: RowReaders;
  readonly #bases: readonly ReturnType<typeof readFrom>[];
  readonly #families: readonly ModelFamily[];
  readonly #routed = new Map<string, RoutedModel>();
  readonly #languageModels = new Map<string, LanguageModel>();
  readonly #closing: (() => Promise<unknown>)[] = [];
  #thread!: AttributionThread;
  #withdrawn!: WithdrawnRows;
  #app!: FastifyInstance;
  #batchWeights: WeightNumbers | null = null;

  private constructor(options: AnswerModelsOptions, modules: Modules) {
    this.#options = options;
    this.#modules = modules;
    this.#ledger = createLedgerView(options);
    const { database, datanetHosts = [], domain, origin = () => "", rollupAddress } = options;
    const { sequencerUrl, serverToken } = options;
    const nowMs = modules.nowMs ?? Date.now;
    this.#readers = new RowReaders({
      database,
      datanetHosts,
      domain,
      rollupAddress,
      sequencerUrl,
      serverToken,
      origin,
      nowMs,
    });
    this.#bases = [readFrom(baseSourceAt(options.basePath))];
    const readVectors = readVectorsFrom();
    const setting = { bases: this.#bases, kernels: options.kernels, readEncoder: readVectors };
    this.#families = [directFamilyOf(readVectors) as never, textFamily(setting) as never];
  }

  /**
   * Opens the models that there are: manifest, recipe and adapter are read. A model alone is checked whole, others when they
   * are asked for the first time.
   *
   * @throws RollupError DNT_TERMS_FORBID where the rows' terms forbid answers for pay, naming the rows, and CLI_UNREACHABLE where a
   *   host does not say them; ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID, ATT_SCORE_MODE_UNAVAILABLE, MOD_BASE_MISSING if the base
   *   is not that of all language models
   */
  static async open(
    locations: readonly ModelLocation[],
    options: AnswerModelsOptions,
    modules: Modules,
  ): Promise<AnswerModels> {
    await initPoseidon();
    const models = new AnswerModels(options, modules);
    try {
      await models.#open(locations);
      return models;
    } catch (error) {
      await models.close();
      throw error;
    }
  }

  /** Routes below `LEDGER_PATH`, whose paths begin with the model's leaf. */
  get app(): FastifyInstance {
    return this.#app;
  }

  /** Language models by the names of their adapters. */
  get languageModels(): ReadonlyMap<string, LanguageModel> {
    return this.#languageModels;
  }

  has(modelId: number): boolean {
    return this.#routed.has(String(modelId));
  }

  /** Path where a registered model is asked that gives labels; null for every other name. */
  askPathOf(name: string): string | null {
    const [, id = ""] = /^model-(\d{1,8})$/.exec(name) ?? [];
    const gives = this.#routed.has(id) && !this.#languageModels.has(name);
    return gives ? `${LEDGER_PATH}/${id}/v1/answers` : null;
  }

  /** Leaves of the models, ascending. */
  get modelIds(): number[] {
    return [...this.#routed.keys()].map(Number).sort((a, b) => a - b);
  }

  /** Weights of the base of all language models; null if there is none. */
  get weights(): WeightNumbers | null {
    return this.#languageModels.values().next().value?.weights ?? null;
  }

  /** Models that are added later must answer by the weights that the batches have. */
  setBatchWeights(weights: WeightNumbers): void {
    this.#batchWeights = weights;
  }

  scoreMode(modelId: number) {
    return this.#thread.run("scoreMode", modelId);
  }

  /** Serves a model more. @throws as `open` */
  async add(location: ModelLocation): Promise<void> {
    const published = await this.#read(location);
    const { text, weights } = published;
    if (text !== null && this.#batchWeights !== null && weights !== this.#batchWeights)
      throw otherWeights(weights!, this.#batchWeights);
    await this.#thread.add({ ...location, text });
    await this.#route(published);
  }

  async close(): Promise<void> {
    for (const end of this.#closing.splice(0).reverse()) await end();
  }

  async #open(locations: readonly ModelLocation[]): Promise<void> {
    const { basePath, heldBytes, kernels, pollIntervalMs, scores } = this.#options;
    const { nowMs, ...errors } = this.#modules;
    const published: Published[] = [];
    for (const position of locations) published.push(await this.#read(position));
    const { adaptersFolder, datanetHosts = [], domain, sequencerUrl, withdrawalsEveryMs } = this.#options;
    this.#withdrawn = await WithdrawnRows.open({
      hosts: datanetHosts,
      sequencerUrl,
      serverToken: this.#options.serverToken,
      domain,
      path: `${adaptersFolder}-withdrawn.json`,
      everyMs: withdrawalsEveryMs,
      log: errors.log,
    });
    this.#closing.push(() => this.#withdrawn.close());
    const models = published.map(({ folder, modelId, text }) => ({ folder, modelId, text }));
    this.#thread = await AttributionThread.start({ basePath, kernels, heldBytes, scores, models });
    this.#closing.push(() => this.#thread.close());
    for (const one of published) await this.#route(one);
    if (published.length === 1) await this.scoreMode(published[0]!.modelId);
    const find = (id: string): RoutedModel => {
      const model = this.#routed.get(id);
      if (model !== undefined) return model;
      throw attributionError("SRV_BAD_REQUEST", `no model ${id.slice(0, 20)} is served here`);
    };
    this.#app = await createModelApp({ limits: this.#options, find, modelIds: () => this.modelIds }, errors);
    this.#closing.push(() => this.#app.close());
    const watching = watchPayments(() => [...this.#routed.values()], {
      log: errors.log,
      intervalMs: pollIntervalMs ?? POLL_INTERVAL_MS,
      ...(nowMs === undefined ? {} : { nowMs }),
    });
    this.#closing.push(() => watching.stop());
  }

  /** Reads a model's files. Also puts a language model's adapter where batches read adapters. */
  async #read(location: ModelLocation): Promise<Published> {
    const files = new Map<string, Uint8Array>();
    for (const name of [MANIFEST, "recipe.json", "parameters.bin"]) {
      const bytes = await readFile(join(location.folder, name)).catch(ifThere);
      if (bytes !== null) files.set(name, bytes);
    }
    const manifest = decodeManifest(files);
    const json = parseJson(checkedFile(files, manifest, "recipe.json"), "recipe.json");
    const recipe = familyOf(json, this.#families).parseRecipe(json);
    const { datanetHosts = [], domain, sequencerUrl } = this.#options;
    const unknownTerms = await requireServedTerms(recipe, {
      ...{ datanetHosts, domain, sequencerUrl },
      rowCount: manifest.rowCount,
    });
    const parameters = checkedFile(files, manifest, "parameters.bin");
    const published = { ...location, manifest, recipe, unknownTerms };
    if (recipe.family !== "text") return { ...published, text: null, weights: null };
    const text = recipe as TextRecipe;
    await writeAdapter(join(this.#options.adaptersFolder, nameOf(location.modelId)), text, parameters);
    const weights = weightsOf(text, await shapeOfBase(text.base, this.#bases));
    return { ...published, text, weights };
  }

  async #route({ folder, manifest, modelId, recipe, text, unknownTerms, weights }: Published): Promise<void> {
    const { settlingOf } = this.#options;
    const { datanetIds: unknownIds, rowCount } = unknownTerms;
    if (unknownIds.length > 0 || rowCount > 0)
      this.#modules.log.warn?.(
        { modelId, datanetIds: unknownIds, rowCount },
        "the terms of rows of the model are not known: nothing says that it may not answer for pay",
      );
    const thread = this.#thread;
    const family = familyOf(recipe, this.#families);
    const rows = ROWS_FILE in manifest.files ? new RowLines(join(folder, ROWS_FILE)) : null;
    const isOfRows = text !== null && isCiting(text);
    const payees =
      rows === null
        ? []
        : decodePayees(await readFile(join(folder, "payees.json")), manifest.rowCount, recipe);
    const withdrawals = new ModelWithdrawals(this.#withdrawn, { recipe, payees, rows });
    const datanetIds = versionsOf(recipe).map(({ id }) => id);
    if (rows !== null || isOfRows) await this.#withdrawn.follow(datanetIds);
    const shown = (error: unknown): never => {
      throw withdrawals.withoutWithdrawn(error);
    };
    const read = async (prompt: string) => {
      const found = await thread.run("read", { modelId, prompt }).catch(shown);
      withdrawals.requireCited(found.cited?.citations ?? []);
      return found;
    };
    const readers = { modelId, datanetIds, ownCard: await cardBeside(folder) };
    const store = new AnswerStore(this.#options.database, modelId);
    const work = {
      staticsHash: BigInt(manifest.staticsHash),
      isDirect: recipe.family === DIRECT,
      answer: async (prompt: string, onText?: (soFar: string) => void) => {
        // Before a part of it is told.
        if (isOfRows && this.#withdrawn.count > 0) await read(prompt);
        return thread.run("answer", { modelId, prompt }, { onPart: onText }).catch(shown);
      },
      ...(isOfRows
        ? {
            requireReader: (payerId: number) => this.#readers.requireLeaf(payerId, readers),
            requireAnswer: (answer: string) => withdrawals.requireAnswer(answer),
          }
        : {}),
      estimate: (query: ModelQuery) => thread.run("estimate", { modelId, query }),
    };
    const service = new AnswerService(
      work,
      { ...this.#options, modelId },
      { ...this.#modules, ledger: this.#ledger, store },
    );
    if (text !== null)
      this.#languageModels.set(nameOf(modelId), {
        modelId,
        recipe: text,
        weights: weights!,
        service,
        queryOf: (prompt, answer) => thread.run("queryOf", { modelId, prompt, text: answer }).catch(shown),
        chatPrompt: (chat) => thread.run("chatText", { modelId, chat }),
        read,
      });
    this.#routed.set(String(modelId), {
      modelId,
      manifest,
      promptKind: family.promptKind(recipe),
      scoreMode: () => this.scoreMode(modelId),
      assurance: assuranceOf(recipe, ANSWERED_AGAIN),
      service,
      store,
      file: async (name) => {
        if (name === ROWS_FILE) await withdrawals.requireRows();
        const bytes = await readFile(join(folder, name));
        if (isOfRows && name === INDEX_FILE) withdrawals.requireIndex(bytes);
        return bytes;
      },
      sharedFile: (name) => family.readShared?.({ family, recipe }, name) ?? null,
      publishesRows: rows !== null,
      figure: () => readSignedFigure(folder),
      // Attack: a model whose rows are withheld has their texts in its index.
      tellsRows: (name) => name === ROWS_FILE || (isOfRows && name === INDEX_FILE),
      row: async (position) => {
        const content = (await rows?.read(position)) ?? null;
        if (content !== null) withdrawals.requireRow(position, content);
        return content;
      },
      requireReader: (request) => this.#readers.require(request, readers),
      signingInfo: () => this.#readers.infoOf(modelId),
      settling: settlingOf?.(modelId),
    });
  }
}

/** File that has the index of a model that cites, with texts of its rows. */
const INDEX_FILE = "query-map.bin";

/** The card beside a model's files; null for none. @throws DNT_CARD_INVALID */
async function cardBeside(folder: string): Promise<Card | null> {
  const bytes = await readFile(join(folder, "card.json")).catch(ifThere);
  return bytes === null ? null : readCardBytes(bytes).card;
}

/** Name of a registered language model's adapter. */
const nameOf = (modelId: number) => `model-${modelId}`;

export const otherWeights = (own: WeightNumbers, others: WeightNumbers) =>
  servingError("SRV_CONFIG_INVALID", `registered models answer by ${own} weights, not by ${others}`, {
    data: { problems: [{ variable: "SERVING_WEIGHTS" }] },
  });

/** Writes PEFT's two files: the published bytes, and a configuration by the recipe. */
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
