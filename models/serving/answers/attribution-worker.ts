/** A thread that computes answers, queries and estimates of all registered models: started by attribution-thread.ts. */
import { workerData } from "node:worker_threads";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
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
import { serveTasks } from "@openledger/foundation/threads/task-worker";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { baseSourceAt } from "../../tuning/base/base-place.ts";
import { readFrom } from "../../tuning/recipe/base-files.ts";
import type { ReadPrompt } from "../../tuning/recipe/read-prompt.ts";
import { SharedText } from "../../tuning/recipe/shared-text.ts";
import { type TextParts, textFamily } from "../../tuning/recipe/text-family.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";

/** A model of the thread. */
interface SeatedModel {
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
  /** Models at the start. */
  readonly models: readonly SeatedModel[];
  /** Limit of models' files in memory. */
  readonly heldBytes: number;
}

export type AttributionTask =
  | { readonly kind: "add"; readonly models: readonly SeatedModel[] }
  | ({ readonly modelId: number } & (
      | { readonly kind: "query"; readonly prompt: string; readonly text: string }
      | { readonly kind: "answer" | "read"; readonly prompt: string }
      | { readonly kind: "estimate"; readonly query: ModelQuery }
      | { readonly kind: "scoreMode" }
    ));
export type AttributionResults = {
  readonly add: null;
  readonly query: Int16Array;
  readonly answer: ModelAnswer;
  readonly read: ReadPrompt;
  readonly estimate: AttributionEstimate;
  readonly scoreMode: RanMode;
};
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

const { basePath, heldBytes, kernels, models: first, scores } = workerData as AttributionSeat;
const setting = { bases: [readFrom(baseSourceAt(basePath))], kernels };
const families = [directFamily, textFamily(setting)] as unknown as readonly ModelFamily[];
const folders = new Map<number, string>();
const held = new RecentValues<number, Held>(heldBytes, ({ engine }) => engine.close());
let texts: readonly TextRecipe[] = [];
let shared: SharedText | null = null;

/** Room that a model needs of a base in memory: the same for models that were tuned alike. */
const seatOf = ({ adapter, answers, base, method, weights }: TextRecipe) =>
  JSON.stringify({ adapter, base, method, weights, tokens: answers.promptTokens + answers.answerTokens });

/** Loads the base again if a language model needs more room than those before. */
async function add(models: readonly SeatedModel[]): Promise<null> {
  const seats = new Set(texts.map(seatOf));
  const more = models.flatMap(({ text }) => (text === null ? [] : [text]));
  const all = [...texts, ...more];
  if (more.some((recipe) => !seats.has(seatOf(recipe)))) shared = await SharedText.open(all, setting);
  texts = all;
  for (const { folder, modelId } of models) folders.set(modelId, folder);
  return null;
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

await serveTasks<AttributionTask>(async () => {
  await initPoseidon();
  await add(first);
  return async (task, tellPart): Promise<AttributionResults[keyof AttributionResults]> => {
    if (task.kind === "add") return add(task.models);
    const { modelId } = task;
    const model = await held.get(modelId, () => loadModel(modelId));
    const { answering, engine, text } = model;
    if (task.kind === "scoreMode") return engine.mode;
    if (task.kind === "estimate") return estimateByEngine(model, task.query, engine);
    if (text === null) {
      if (task.kind === "answer") return answering!.answer(task.prompt, tellPart);
      throw new Error(`a model that is no language model has no ${task.kind}`);
    }
    const seated = await shared!.seat(text);
    if (task.kind === "query") return seated.queryOf!(task.prompt, task.text);
    return task.kind === "read" ? seated.read(task.prompt) : seated.answer(task.prompt, tellPart);
  };
});
