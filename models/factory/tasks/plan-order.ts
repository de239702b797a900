/**
 * Plan of a job: the recipe that its form and rows stand for, checked with rows and base, so that a job that can never begin is
 * refused before it is one. Tasks call it in processes of their own, since bases and rows are large.
 */
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { DIRECT } from "@openledger/attribution/model/recipe-fields";
import { atRow } from "@openledger/attribution/rows/labelled-rows";
import { decodeTextRow, isQuestionRow } from "@openledger/attribution/rows/text-rows";
import type { AdapterTarget } from "../../engine/architecture/adapter-layout.ts";
import { openModel } from "../../engine/files/load-model.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { baseSourceAt } from "../../tuning/base/base-address.ts";
import { readFrom, shapeOfBase } from "../../tuning/recipe/base-files.ts";
import {
  type ModelPlan,
  type ModelTermsQuery,
  planModel,
  presetDraft,
  type RecipeDraft,
  sorterOfKind,
} from "../../tuning/recipe/plan-model.ts";
import {
  methodFor,
  type RecipeDatanet,
  retrievalOf,
  sayingRetrieval,
  textEnds,
  textRules,
} from "../../tuning/recipe/recipe-presets.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { tokensOfRow } from "../../tuning/recipe/text-tokens.ts";
import { stepsOf } from "../default-form.ts";
import type { DatasetVersion, SortForm, WriteForm } from "../factory-api.ts";
import type { MachineTask, PlanOrder } from "./task-messages.ts";
import { trainingsOf } from "./task-model.ts";

/**
 * @throws ATT_RECIPE_INVALID, ATT_TOO_FEW_ROWS, ATT_ROW_INVALID, ATT_LABEL_INVALID, MOD_FILE_INVALID and what bases are refused
 * for
 */
export async function planOrder(
  order: PlanOrder,
  rows: readonly OwnedRow[],
  machine: MachineTask,
): Promise<ModelPlan> {
  const { dataset, features, form } = order;
  const isSorting = form.use !== "write";
  const draft = isSorting
    ? await sortDraft(form, order, rows, machine.basePlace)
    : await writeDraft(form, order, rows, machine.basePlace);
  const plan = await planModel(draft, rows, {
    card: dataset.card,
    columnCount: isSorting ? features + 1 : features,
    trainings: trainingsOf(machine).all,
    terms: termsOf(order),
    versions: versionsOf(dataset),
  });
  if (plan.recipe.family !== DIRECT) await requireTokens(plan.recipe as TextRecipe, rows, machine.basePlace);
  return plan;
}

/** Undefined for rows whose terms nobody has looked at. */
const termsOf = ({ dataset, form }: PlanOrder): ModelTermsQuery | undefined =>
  (dataset.view.terms ?? []).length === 0
    ? undefined
    : { rows: dataset.view.terms, use: form.modelUse ?? "paid" };

function versionsOf({ view }: PlanOrder["dataset"]): [RecipeDatanet, ...RecipeDatanet[]] {
  const { datanet, further } = view;
  const named = ({ id, labelsRoot, rowsRoot, version }: DatasetVersion): RecipeDatanet => ({
    id,
    version,
    rowsRoot: BigInt(rowsRoot),
    ...(labelsRoot === null ? {} : { labelsRoot: BigInt(labelsRoot) }),
  });
  return [named(datanet!), ...further.map(named)];
}

async function sortDraft(
  { countedFields, decay, seed }: SortForm,
  { dataset: { card, view }, features }: PlanOrder,
  rows: readonly OwnedRow[],
  basePlace: string,
): Promise<RecipeDraft> {
  const draft = await presetDraft(sorterOfKind(view.rowKind)!, {
    rows,
    card,
    features,
    basePlace,
    countedFields,
  });
  if (decay === null) return { ...draft, ...{ seed } };
  const { method, model } = draft as { readonly method: object; readonly model: object };
  return { ...draft, ...{ seed, model: { ...model, decay }, method: { ...method, damping: decay } } };
}

async function writeDraft(
  form: WriteForm,
  { base, features }: PlanOrder,
  rows: readonly OwnedRow[],
  baseSource: string,
): Promise<RecipeDraft> {
  const rowCount = rows.length;
  const promptTokens = form.rowTokens - form.answerTokens;
  const isCiting = form.citationPercent > 0;
  const citationPermille = 10 * form.citationPercent;
  const retrieval = rows.every(({ content }) => isQuestionRow(content))
    ? sayingRetrieval(features, citationPermille)
    : retrievalOf(features, promptTokens, citationPermille);
  const source = baseSourceAt(baseSource);
  const shape = await shapeOfBase(base!, [readFrom(source)]);
  const { answers, ends } = await textEnds(source, base!, shape.vocabularySize);
  const adapter = { rank: form.rank, alpha: form.alpha, targets: form.targets as AdapterTarget[] };
  const steps = stepsOf(form, rowCount);
  return {
    version: 2,
    family: "text",
    base,
    ...(form.weights === undefined ? {} : { weights: form.weights }),
    seed: form.seed,
    rowTokens: form.rowTokens,
    ...ends,
    adapter,
    tuning: {
      steps,
      rowsPerStep: form.rowsPerStep,
      rate: form.rate,
      warmupSteps: Math.min(10, Math.ceil(steps / 10)),
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      decay: form.decay,
      lastPart: form.lastPart,
      weigh: "tokens",
    },
    ...(form.heldOutRows === 0 ? {} : { heldOut: form.heldOutRows }),
    method: methodFor(shape, adapter, { rowCount, columnCount: features, isCiting }),
    ...(isCiting ? { retrieval } : {}),
    answers: {
      promptTokens,
      answerTokens: form.answerTokens,
      temperature: form.temperature,
      ...answers,
    },
    rules: textRules(),
  } as RecipeDraft;
}

/** A row that is longer than the recipe takes is refused, never cut. @throws ATT_ROW_INVALID naming it */
async function requireTokens(
  recipe: TextRecipe,
  rows: readonly OwnedRow[],
  baseSource: string,
): Promise<void> {
  const source = baseSourceAt(baseSource);
  const opened = await openModel(source);
  const { vocabularySize } = opened.shape;
  await opened.close();
  const tokens = await openTokenizer(source, vocabularySize);
  for (const [index, { content }] of rows.entries())
    atRow(index, () => tokensOfRow(tokens, decodeTextRow(content), recipe));
}
