/**
 * Tasks of the thread that computes for all registered models: answers, queries (the vectors by which rows are scored and
 * paid), and estimates of who would be paid. attribution-thread.ts starts it.
 */

import { directFamilyOf } from "@openledger/attribution/model/direct/direct-family";
import type { Chat } from "@openledger/attribution/model/model-chat";
import { readModelFiles } from "@openledger/attribution/model/model-directory";
import type {
  AnsweringModel,
  ModelAnswer,
  ModelFamily,
  ModelParts,
} from "@openledger/attribution/model/model-family";
import { decodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import {
  type AttributionEstimate,
  estimateByEngine,
} from "@openledger/attribution/scores/attribution-estimate";
import { type ModelScores, openModelScores } from "@openledger/attribution/scores/model-scores";
import type { RanMode, ScoreChoice } from "@openledger/attribution/scores/score-engine";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import { RecentValues } from "@openledger/foundation/recent-values";
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { baseSourceAt } from "../../tuning/base/base-address.ts";
import { readFrom } from "../../tuning/recipe/base-files.ts";
import type { ReadPrompt } from "../../tuning/recipe/read-prompt.ts";
import { SharedText } from "../../tuning/recipe/shared-text.ts";
import { type TextParts, textFamily } from "../../tuning/recipe/text-family.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { readVectorsFrom } from "../../tuning/vectors/vector-places.ts";

/** A model of the thread. */
export interface SeatedModel {
  readonly modelId: number;
  readonly folder: string;
  /** Recipe of a language model; null of other families. */
  readonly text: TextRecipe | null;
}

export interface AttributionSeat {
  /** Base of the language models. */
  readonly basePath: string;
  readonly kernels: KernelChoice;
  readonly scores: ScoreChoice;
  /** Models at the thread's start. */
  readonly models: readonly SeatedModel[];
  /** Limit of models' files in memory. */
  readonly heldBytes: number;
}

type TextModel = Pick<PublishedModel<TextParts>, "adapter" | "queryMap" | "recipe">;

interface Held {
  /** Parts of a language model, which takes its turn on the shared base. */
  readonly text: TextModel | null;
  /** Model of another family, ready to answer. */
  readonly answering: AnsweringModel | null;
  readonly payees: PublishedModel["payees"];
  readonly features: PublishedModel["features"];
  readonly engine: ModelScores;
}

const { basePath, heldBytes, kernels, models: first, scores } = taskSeat<AttributionSeat>();
const readVectors = readVectorsFrom();
const setting = { bases: [readFrom(baseSourceAt(basePath))], kernels, readVectors, readEncoder: readVectors };
const families = [directFamilyOf(readVectors), textFamily(setting)] as unknown as readonly ModelFamily[];
const folders = new Map<number, string>();
const held = new RecentValues<number, Held>(heldBytes, ({ engine }) => engine.close());
let texts: readonly TextRecipe[] = [];
let shared: SharedText | null = null;

/** Room that a model needs of a base in memory, and its encoder: the same for models that were tuned alike. */
const seatOf = ({ adapter, answers, base, chat, method, retrieval, weights }: TextRecipe) => {
  const tokens = answers.promptTokens + answers.answerTokens;
  return JSON.stringify({ adapter, base, chat, encoder: retrieval?.encoder, method, weights, tokens });
};

async function seat(models: readonly SeatedModel[]): Promise<void> {
  const seats = new Set(texts.map(seatOf));
  const more = models.flatMap(({ text }) => (text === null ? [] : [text]));
  const all = [...texts, ...more];
  if (more.some((recipe) => !seats.has(seatOf(recipe)))) shared = await SharedText.open(all, setting);
  texts = all;
  for (const { folder, modelId } of models) folders.set(modelId, folder);
}

async function loadModel(modelId: number): Promise<{ value: Held; bytes: number }> {
  const files = await readModelFiles(folders.get(modelId)!);
  const model = decodeModel<ModelParts>(files, families);
  const { features, payees } = model;
  const engine = await openModelScores(features, scores);
  const bytes =
    features.values.byteLength +
    ["parameters.bin", "query-map.bin"].reduce((sum, name) => sum + (files.get(name)?.length ?? 0), 0);
  const common = { features, payees, engine };
  if (model.recipe.family !== "text")
    return { value: { ...common, text: null, answering: await model.family.open(model) }, bytes };
  const { adapter, queryMap, recipe } = model as unknown as TextModel;
  return { value: { ...common, text: { adapter, queryMap, recipe }, answering: null }, bytes };
}

await initPoseidon();
const opening = seat(first);
// The tasks wait for it, and throw what it throws.
opening.catch(() => {});

const modelOf = async (modelId: number): Promise<Held> => {
  await opening;
  return held.get(modelId, () => loadModel(modelId));
};

async function textOf(modelId: number) {
  const { text } = await modelOf(modelId);
  return text === null ? null : shared!.seat(text);
}

/** Resolves once the base of the first models is loaded. @throws RollupError what it is refused for */
export async function open(_: null): Promise<void> {
  await opening;
}

/** Loads the base again where a language model needs more room than those before. */
export async function add(models: readonly SeatedModel[]): Promise<void> {
  await opening;
  await seat(models);
}

export const scoreMode = async (modelId: number): Promise<RanMode> => (await modelOf(modelId)).engine.mode;

export async function estimate({
  modelId,
  query,
}: {
  readonly modelId: number;
  readonly query: ModelQuery;
}): Promise<AttributionEstimate> {
  const model = await modelOf(modelId);
  return estimateByEngine(model, query, model.engine);
}

interface OfPrompt {
  readonly modelId: number;
  readonly prompt: string;
}

/** @param tell the text so far */
export async function answer(
  { modelId, prompt }: OfPrompt,
  tell: (soFar: string) => void,
): Promise<ModelAnswer> {
  const { answering } = await modelOf(modelId);
  if (answering !== null) return answering.answer(prompt, tell);
  return (await textOf(modelId))!.answer(prompt, tell);
}

/** The query of a language model's answer. */
export const queryOf = async ({
  modelId,
  prompt,
  text,
}: OfPrompt & { readonly text: string }): Promise<Int16Array> =>
  (await textOf(modelId))!.queryOf!(prompt, text);

/** Canonical text of a chat. */
export const chatText = async ({
  chat,
  modelId,
}: {
  readonly modelId: number;
  readonly chat: Chat;
}): Promise<string> => (await textOf(modelId))!.chat.promptOf(chat);

/** Reads a prompt as a language model does, with the rows that it cites. */
export const read = async ({ modelId, prompt }: OfPrompt): Promise<ReadPrompt> =>
  (await textOf(modelId))!.read(prompt);
