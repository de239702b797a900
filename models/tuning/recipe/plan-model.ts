/**
 * Road from a version's rows to a published model, the same for `models train`, the factory and the devnet: the rules of the
 * Datanet's card complete a draft to a recipe, the family checks the rows, then training, registration and files.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { RELEASED_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import {
  type FamilyTraining,
  type TrainedModel,
  type TrainOptions,
  trainingOf,
} from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import {
  type ModelTerms,
  type ModelUse,
  parseTerms,
  type RecipeBase,
  type RowTerms,
} from "@openledger/attribution/model/recipe-fields";
import {
  type ModelSize,
  type RegistrationTerms,
  registerModel,
} from "@openledger/attribution/model/registration";
import type { OnProgress } from "@openledger/attribution/progress";
import type { RowKind } from "@openledger/attribution/rows/row-kinds";
import { isQuestionRow, isTextRow } from "@openledger/attribution/rows/text-rows";
import type { Payee } from "@openledger/circuits/ledger/rewards";
import { holdsPayees, misfitOf, shapeOfPayees } from "@openledger/circuits/settlement/settlement-size";
import { modelTerms, requireRecipeTerms } from "@openledger/datanets/terms/terms-rule";
import { baseNameAt, baseSourceAt } from "../base/base-address.ts";
import { readVectorsFrom } from "../vectors/vector-places.ts";
import {
  completeRecipe,
  LABELS,
  labelsPreset,
  PRESET_NAMES,
  type PresetName,
  type RecipeDatanet,
  textPreset,
} from "./recipe-presets.ts";

/** Presets of language models; those of `PRESET_NAMES` sort. */
const TEXT_PRESETS = ["texts", "cited-texts", "cited-answers"] as const;
export const ALL_PRESETS = [...PRESET_NAMES, ...TEXT_PRESETS] as const;
export type AnyPreset = (typeof ALL_PRESETS)[number];

/** The preset that sorts rows of a kind; undefined where there is none. */
export const sorterOfKind = (kind: RowKind): PresetName | undefined =>
  kind === "passage" ? undefined : LABELS;

/**
 * The preset of rows that name none: rows that sort have one, questions with answers are said word for word, and any other
 * texts teach a model to write.
 */
export function usualPreset(rows: readonly Pick<OwnedRow, "content">[]): AnyPreset {
  if (!rows.every(({ content }) => isTextRow(content))) return LABELS;
  return rows.every(({ content }) => isQuestionRow(content)) ? "cited-answers" : "texts";
}

/** Facts that a draft is completed by. */
export interface PlanFacts {
  /** Versions in their places, Datanet 0's first. */
  readonly versions: readonly [RecipeDatanet, ...RecipeDatanet[]];
  readonly columnCount: number;
  /** Text of the Datanet's card, whose rules the recipe repeats; null leaves the draft's. */
  readonly card: string | null;
  /** Terms of the rows, with the model's use and licence. Absent: nobody has looked at them, or the draft's stand. */
  readonly terms?: ModelTermsQuery | undefined;
}

/** Use of a model and its licence, for the rule of terms (datanets/terms/terms-rule.ts). */
export interface ModelTermsQuery {
  readonly rows: readonly RowTerms[];
  /** Absent: the draft's, else for pay. */
  readonly use?: ModelUse | undefined;
  /** Absent: the draft's, else the most open one that the rows allow. */
  readonly licence?: string | undefined;
}

/** Recipe before ledger and card complete it: a preset, or the JSON of a file. */
export interface RecipeDraft {
  readonly retrieval?: unknown;
  readonly terms?: unknown;
  readonly rules?: unknown;
}

/** Rows, and what a preset fits itself to. */
export interface PresetFacts {
  readonly rows: readonly Pick<OwnedRow, "content" | "label">[];
  /** Text of the Datanet's card: kind, fields and labels of its rows; null: as the rows look. */
  readonly card: string | null;
  /** Features of the settlement circuit; of a sorting model its buckets. */
  readonly features: number;
  /** Folder or address of a language model's base. */
  readonly basePlace: string;
  /** Names of a table's fields that count; absent: as the preset chooses. */
  readonly countedFields?: readonly string[] | undefined;
  /** Stage "choose" of a classifier's inputs. */
  readonly onProgress?: OnProgress | undefined;
}

/** @throws MOD_… if the base cannot be read */
export async function presetDraft(
  name: AnyPreset,
  { basePlace, card, countedFields, features, onProgress, rows }: PresetFacts,
): Promise<RecipeDraft> {
  if (name === LABELS) {
    const [vectors, readVectors] = [RELEASED_VECTORS, readVectorsFrom()];
    const preset = { rows, bucketCount: features, card, countedFields };
    return labelsPreset({ ...preset, vectors, readVectors, onProgress });
  }
  if (countedFields !== undefined)
    throw attributionError(
      "ATT_RECIPE_INVALID",
      "fields are chosen of tables alone: these rows are for a model that writes",
      {
        data: { issues: [{ path: "inputs.fields", message: "is of tables alone" }] },
      },
    );
  const isSaying = name === "cited-answers";
  const isCiting = isSaying || name === "cited-texts";
  const sizes = { rowCount: rows.length, columnCount: features, isCiting, isSaying };
  return textPreset(baseSourceAt(basePlace), baseNameAt(basePlace), sizes);
}

/** A recipe that its rows can be trained by. */
export interface ModelPlan {
  readonly recipe: RecipeBase;
  readonly training: FamilyTraining;
}

/**
 * Completes a draft, and checks that these rows can be trained on by it, and may be by their terms, before anything is trained.
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; ATT_RECIPE_INVALID, also for another use or licence than the
 *   draft's, ATT_TOO_FEW_ROWS, ATT_ROW_INVALID, ATT_LABEL_INVALID with what to change
 */
export async function planModel(
  draft: RecipeDraft,
  rows: readonly OwnedRow[],
  {
    card,
    columnCount,
    terms: asked,
    trainings,
    versions,
  }: PlanFacts & { readonly trainings: readonly FamilyTraining[] },
): Promise<ModelPlan> {
  const [datanet, ...further] = versions;
  const terms = asked === undefined ? {} : { terms: termsOf(draft, asked) };
  const complete = completeRecipe({ ...draft, ...terms }, datanet, columnCount, card, further);
  const training = trainingOf(complete, trainings);
  const recipe = training.family.parseRecipe(complete);
  requireRecipeTerms(recipe);
  await training.requireTrainable(rows, recipe);
  return { recipe, training };
}

/**
 * Terms of a model of these rows. The use and licence of a draft stand, and nobody asks for others beside it.
 * @throws ATT_RECIPE_INVALID, DNT_TERMS_FORBID
 */
function termsOf({ retrieval, terms }: RecipeDraft, { licence, rows, use }: ModelTermsQuery): ModelTerms {
  const readsRows = retrieval !== undefined;
  if (terms === undefined) return modelTerms(rows, { use: use ?? "paid", licence, readsRows });
  const own = parseTerms(terms);
  requireSame("use", own.use, use);
  requireSame("licence", own.licence, licence);
  return modelTerms(rows, { use: own.use, licence: own.licence, readsRows });
}

function requireSame(field: "use" | "licence", own: string | null, question: string | undefined): void {
  if (question === undefined || question === own) return;
  const message = `the recipe says ${own === null ? "null" : `"${own}"`}, and "${question}" is asked for: leave out one of the two`;
  throw attributionError("ATT_RECIPE_INVALID", `terms.${field}: ${message}`, {
    data: { issues: [{ path: `terms.${field}`, message }] },
  });
}

interface MakeOptions extends TrainOptions {
  readonly terms: RegistrationTerms;
  readonly size: ModelSize;
  /** Text of the card, which is published with the model: anyone can compare its rules. */
  readonly card: string | null;
  readonly publishRows: boolean;
}

export interface MadeModel {
  readonly trained: TrainedModel;
  readonly model: PublishedModel;
}

/** Trains a plan. @throws as `FamilyTraining.train` and `registerModel` */
export async function makeModel(
  { recipe, training }: ModelPlan,
  rows: readonly OwnedRow[],
  options: MakeOptions,
): Promise<MadeModel> {
  const trained = await training.train(rows, recipe, options);
  return { trained, model: publishTrained(trained, options) };
}

/** Commits to a trained model, and makes what is published of it. @throws as `registerModel` */
export function publishTrained(
  trained: TrainedModel,
  { card, onProgress, publishRows, size, terms }: Omit<MakeOptions, "stateFolder">,
): PublishedModel {
  const progress = onProgress === undefined ? {} : { onProgress };
  const registration = registerModel(trained, terms, size, progress);
  return publishedModel(trained, registration, { publishRows, card });
}

/** True if circuits of a size settle these payees; those of several Datanets are in their places, and are not cut. */
export const settles = (size: ModelSize, payees: readonly Payee[], isJoint: boolean): boolean =>
  isJoint ? misfitOf(size, { ...size, ...shapeOfPayees(payees) }) === null : holdsPayees(size, payees);
