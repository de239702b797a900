/**
 * Shares one loaded base model among any number of registered models: each brings its adapter and its map to features when its
 * turn comes. The answer server's attribution threads, customers' checks and what-if compute answers and queries by it.
 */
import { paddedQuery } from "@openledger/attribution/features/quantise";
import { randomSigns } from "@openledger/attribution/features/rotation";
import type { ReadVectors } from "@openledger/attribution/inputs/open-inputs";
import { ENGLISH_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import type { ModelChat } from "@openledger/attribution/model/model-chat";
import type { AnsweringModel } from "@openledger/attribution/model/model-family";
import { citingBaseColumns, restOfQuery } from "@openledger/attribution/model/recipe-fields";
import {
  type AdapterLayout,
  type AdapterSettings,
  adapterLayout,
} from "../../engine/architecture/adapter-layout.ts";
import { type TokenRow, wantedOf } from "../../engine/architecture/loss-gradient.ts";
import { computeLogits, readTokens, type Transformer } from "../../engine/architecture/transformer.ts";
import { workspaceFor } from "../../engine/architecture/workspace.ts";
import { readAdapter } from "../../engine/files/adapter-files.ts";
import { loadModel, openModel } from "../../engine/files/load-model.ts";
import { memorySource } from "../../engine/files/memory-source.ts";
import { NONE, type Place } from "../../engine/kernels/kernels.ts";
import { roundUp16 } from "../../engine/tensors/arena-plan.ts";
import { TEMPLATE_FILE } from "../../engine/tokens/text-marks.ts";
import { openTokenizer, type TextTokens } from "../../engine/tokens/tokenizer.ts";
import { modelError } from "../../model-errors.ts";
import type { DigitsOf } from "../retrieval/nearest-questions.ts";
import type { EncodeQuestion } from "../retrieval/question-vectors.ts";
import { generate, likeliest } from "../training/generate.ts";
import { runRowTask } from "../training/row-task.ts";
import { openBase } from "./base-files.ts";
import { modelChat, templateOf } from "./chat-prompt.ts";
import { drawSeedOf } from "./draw-seed.ts";
import type { MapOffsets } from "./folded-map-file.ts";
import { checkQueryMap, mapAdapter, mapGradient, mapLength, mapOffsets, mapSize } from "./query-map.ts";
import { openQuestionEncoder } from "./question-encoder.ts";
import { promptReader, type ReadPrompt } from "./read-prompt.ts";
import type { TextSetting } from "./text-model.ts";
import { isCiting, type TextRecipe, weightsOf } from "./text-recipe.ts";
import { answerText, answerTokens, questionRow, requireRecipeTokens, saidTokens } from "./text-tokens.ts";

/** Replacement characters at the end of a text whose last tokens are not there yet. */
const HALF_A_CHARACTER = /\ufffd+$/;

/** Parts of a model that can be seated. */
interface SeatedText {
  readonly recipe: TextRecipe;
  readonly adapter: Uint8Array;
  readonly queryMap: Uint8Array;
}

/** @throws as `AnsweringModel.answer` */
interface SeatedModel extends AnsweringModel<Int16Array> {
  readonly chat: ModelChat;
  readonly read: (prompt: string) => ReadPrompt;
}

interface Offsets extends MapOffsets {
  readonly adapter: Place;
  readonly middle: Place;
}

export class SharedText {
  readonly #tokens: TextTokens;
  readonly #offsets: Offsets;
  /** Transformers by the adapter's settings. */
  readonly #models: ReadonlyMap<string, Transformer>;
  readonly #digitsOf: DigitsOf | null;
  readonly #encoders: QuestionEncoders;
  #seated: SeatedText | null = null;
  /** Prompt reader of the seated model. */
  #read: ReturnType<typeof promptReader> | null = null;

  private constructor(
    tokens: TextTokens,
    offsets: Offsets,
    models: ReadonlyMap<string, Transformer>,
    digitsOf: DigitsOf | null,
    encoders: QuestionEncoders,
  ) {
    this.#tokens = tokens;
    this.#offsets = offsets;
    this.#models = models;
    this.#digitsOf = digitsOf;
    this.#encoders = encoders;
  }

  /**
   * @param recipes of all models that will take a seat
   * @throws RollupError MOD_BASE_MISSING, also if recipes name different bases or weights; and what a published base is refused
   * for; ATT_RECIPE_INVALID
   */
  static async open(recipes: readonly TextRecipe[], setting: TextSetting): Promise<SharedText> {
    // Recipes of before do not name the file of the chat template.
    const { base } = recipes.find(({ chat }) => chat !== undefined) ?? recipes[0]!;
    for (const recipe of recipes) requireSameBase(base, recipe.base);
    const source = await openBase(base, setting.bases);
    const opened = await openModel(source);
    try {
      const { shape } = opened;
      const weights = weightsOf(recipes[0]!, shape);
      for (const recipe of recipes) requireRecipeTokens(recipe, shape.vocabularySize);
      for (const { base: own, ...recipe } of recipes)
        if (weightsOf(recipe, shape) !== weights)
          throw otherBase(`a model is of ${own.name} with other weights than ${weights}`, own.name);
      const tokens = await openTokenizer(source, shape.vocabularySize);
      for (const recipe of recipes) templateOf(tokens, recipe);
      const layouts = new Map<string, AdapterLayout>();
      for (const { adapter } of recipes) layouts.set(keyOf(adapter), adapterLayout(shape, adapter));
      const max = (size: (recipe: TextRecipe) => number) => Math.max(...recipes.map(size));
      const sizes = recipes.map(({ adapter, method }) => mapSize(layouts.get(keyOf(adapter))!, method));
      const floatCount = Math.max(...sizes.map(({ gradientCount }) => gradientCount));
      let offsets!: Offsets;
      const models = new Map<string, Transformer>();
      const workspaces = new Map<string, Transformer["workspace"]>();
      const { model } = await loadModel(opened, {
        kernels: setting.kernels,
        weights,
        maxRows: max(({ answers }) => answers.promptTokens + answers.answerTokens),
        isTraining: true,
        placeMore: (plan, workspace) => {
          const [adapter, middle] = [plan.take(floatCount), plan.take(floatCount)];
          offsets = { adapter, middle, ...mapOffsets(plan, sizes) };
          for (const [key, layout] of layouts) workspaces.set(key, workspaceFor(plan, workspace, layout));
        },
      });
      for (const [key, layout] of layouts) {
        const workspace = workspaces.get(key)!;
        models.set(key, { ...model, workspace, adapter: { layout, at: offsets.adapter } });
      }
      const isSaying = recipes.some(({ retrieval }) => retrieval?.says === "row");
      const digitsOf = isSaying ? await digitsBy(setting.readVectors) : null;
      return new SharedText(tokens, offsets, models, digitsOf, await encodersOf(recipes, setting));
    } finally {
      await opened.close();
    }
  }

  /**
   * Puts a model's adapter beside the base. What it gives back works until another takes the seat.
   *
   * @throws RollupError ATT_MODEL_FILE_INVALID, MOD_FILE_INVALID
   */
  async seat(parts: SeatedText): Promise<SeatedModel> {
    const { adapter, recipe } = parts;
    const { answers, columnCount } = recipe;
    const model = this.#models.get(keyOf(recipe.adapter))!;
    const { layout } = model.adapter!;
    const { arena } = model.kernels;
    const size = mapSize(layout, recipe.method);
    const mapEnd = isCiting(recipe) ? mapLength(parts.queryMap, size) : parts.queryMap.length;
    const queryMap = parts.queryMap.subarray(0, mapEnd);
    if (this.#seated !== parts) {
      this.#seated = null;
      checkQueryMap(queryMap, size);
      const encode = this.#encoders.get(encoderKey(recipe)) ?? null;
      this.#read = promptReader(this.#tokens, parts, size, { digitsOf: this.#digitsOf, encode });
      const files = memorySource("the model", new Map([["adapter_model.safetensors", adapter]]));
      await readAdapter(files, model.shape, layout, arena, this.#offsets.adapter);
      arena.set(mapAdapter(queryMap, size) ?? [], this.#offsets.middle);
      this.#seated = parts;
    }
    const tokens = this.#tokens;
    const { gradient, middle } = this.#offsets;
    const question = size.componentCount === null ? model : { ...model, adapter: { layout, at: middle } };
    const block = { at: gradient, floatCount: size.gradientCount };
    const read = (prompt: string) => {
      this.#requireSeat(parts);
      return this.#read!(prompt);
    };
    const query = (prompt: string, { found, given }: ReturnType<typeof read>, answer: readonly number[]) => {
      if (found?.cited?.paidBy === "citation") return found.query;
      const all = questionRow(given, answer, recipe);
      const row = answers.weigh === undefined ? all : addedRow({ ...model, adapter: null }, all);
      if (wantedOf(row) === 0) arena.fill(0, gradient, gradient + size.gradientCount);
      else runRowTask(question, { row, block, into: { parameters: NONE, adapter: gradient } });
      const features = mapGradient(model.kernels, this.#offsets, queryMap, size);
      // The base would have said every token: no row is paid by its merit, nor can one be made for such answers.
      if (answers.weigh !== undefined && features.every((value) => value === 0))
        features.set(randomSigns(features.length, drawSeedOf(recipe, prompt)));
      if (found === null) return paddedQuery(features, columnCount, restOfQuery(recipe)).values;
      found.query.set(
        paddedQuery(features, features.length + citingBaseColumns(recipe), restOfQuery(recipe)).values,
      );
      return found.query;
    };
    return {
      chat: modelChat(tokens, recipe),
      ...(recipe.retrieval?.says === "row"
        ? { rowQuestionOf: (prompt: string) => read(prompt).cited!.citations[0]!.question! }
        : {}),
      read: (prompt) => {
        const { cited, given, said } = read(prompt);
        return { cited, given, said };
      },
      answer: (prompt, onText) => {
        const own = read(prompt);
        if (own.said !== null) {
          onText?.(own.said);
          const said = saidTokens(tokens, own.said, recipe);
          return { label: null, text: answerText(tokens, said, own), query: query(prompt, own, said) };
        }
        const seed = drawSeedOf(recipe, prompt);
        const answer: number[] = [];
        for (const token of generate(model, own.given, {
          ...answers,
          tokenCount: answers.answerTokens,
          seed,
        })) {
          answer.push(token);
          onText?.(tokens.decode(answer).replace(HALF_A_CHARACTER, ""));
        }
        return {
          label: null,
          text: answerText(tokens, answer, own),
          query: query(prompt, own, answer),
        };
      },
      queryOf: (prompt, text) => {
        const own = read(prompt);
        const size = model.shape.vocabularySize;
        return query(prompt, own, answerTokens(tokens, text, recipe, size, own));
      },
    };
  }

  #requireSeat(parts: SeatedText): void {
    if (this.#seated !== parts) throw new RangeError("another model has taken the seat");
  }
}

/** Digits of texts by the release's English vectors, where they are at hand. */
async function digitsBy(read: ReadVectors | undefined): Promise<DigitsOf | null> {
  const bytes = (await read?.(ENGLISH_VECTORS)) ?? null;
  if (bytes === null) return null;
  const vectors = readTextVectors(bytes);
  return (text) => vectors.digitsOf(new TextEncoder().encode(text));
}

/** Encoders of questions by the files that recipes name. */
type QuestionEncoders = ReadonlyMap<string, EncodeQuestion>;

const encoderKey = ({ retrieval }: TextRecipe): string => JSON.stringify(retrieval?.encoder ?? null);

async function encodersOf(recipes: readonly TextRecipe[], setting: TextSetting): Promise<QuestionEncoders> {
  const encoders = new Map<string, EncodeQuestion>();
  for (const recipe of recipes) {
    if (encoders.has(encoderKey(recipe))) continue;
    const encode = await openQuestionEncoder(recipe, setting);
    if (encode !== null) encoders.set(encoderKey(recipe), encode);
  }
  return encoders;
}

/** The row without targets that the base finds likeliest after the tokens before them: what tuning added. */
export function addedRow(base: Transformer, row: TokenRow): TokenRow {
  const { targets, tokens } = row;
  readTokens(base, tokens);
  const { vocabularySize } = base.shape;
  const first = targets.findIndex((target) => target >= 0);
  const logits = computeLogits(base, first, tokens.length - first);
  const isSaid = (target: number, t: number) => {
    const at = (t - first) * roundUp16(vocabularySize);
    return target >= 0 && likeliest(logits.subarray(at, at + vocabularySize)) === target;
  };
  return { ...row, targets: targets.map((target, t) => (isSaid(target, t) ? -1 : target)) };
}

const keyOf = (settings: AdapterSettings): string => JSON.stringify(settings);

function requireSameBase(base: TextRecipe["base"], other: TextRecipe["base"]): void {
  const filesOf = ({ files }: TextRecipe["base"]) =>
    JSON.stringify(
      Object.entries(files)
        .filter(([name]) => name !== TEMPLATE_FILE)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  if (filesOf(base) === filesOf(other)) return;
  throw otherBase(`a model is of the base ${other.name}, not of ${base.name}`, other.name);
}

const otherBase = (message: string, base: string) =>
  modelError("MOD_BASE_MISSING", message, {
    data: { base, file: "", sha256: "", said: ["another base is loaded"] },
  });
