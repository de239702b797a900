/**
 * Kinds of models that the ledger pays: what one of them adds to what is the same for all (rows, payees, int8 features,
 * statics, files, receipts, settlement). Direct models live in this folder. Language models live in models/,
 * which imports attribution/; so anyone who reads or serves models is handed the families that they know.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import type { Payee } from "@openledger/circuits/ledger/rewards";
import { attributionError } from "../attribution-errors.ts";
import type { DirectFeatures, RegisteredMatrix } from "../features/direct-rows.ts";
import type { QuantisedFeatures } from "../features/quantise.ts";
import type { OnProgress } from "../progress.ts";
import type { OwnedRow } from "./owned-rows.ts";
import type { RecipeBase } from "./recipe-fields.ts";
import { assuranceOf, type CheckedReply, defencesOf } from "./reply-assurance.ts";

/** What a model says to a prompt, and the query that its receipt binds. */
export interface ModelAnswer<Query extends ModelQuery = ModelQuery> {
  /** Of a direct model, else null. */
  readonly label: string | null;
  /** The answer that receipts hash: JSON, {"label":…} of a direct model of e-mails. */
  readonly text: string;
  /** columnCount odd numbers, −255 … 255; of a direct model the prompt's counts with the answered class. */
  readonly query: Query;
}

/** A model that answers, as a plain object. A prompt is a row's input: an e-mail's text, a digit's pixels in base64, or plain text. */
export interface AnsweringModel<Query extends ModelQuery = ModelQuery> {
  /**
   * The same prompt gives the same bytes on every machine.
   * @param onText told the text so far, by models that write word by word. @throws ATT_ROW_INVALID
   */
  answer(prompt: string, onText?: (soFar: string) => void): ModelAnswer<Query>;
  /**
   * The query of an answer that is at hand, without answering again. Only where answering costs much more.
   * @param text as `ModelAnswer.text`. @throws ATT_ANSWER_INVALID for what no such model answers
   */
  queryOf?(prompt: string, text: string): Query;
}

/** The files that answer, as published: their hash is in the model's statics. */
export interface AnsweringFiles {
  readonly recipe: Uint8Array;
  readonly parameters: Uint8Array;
  readonly queryMap: Uint8Array;
}

/** What answers, with the family that knows how. A family adds fields of its own. */
export interface ModelParts {
  readonly family: ModelFamily;
  readonly recipe: RecipeBase;
}

interface DirectKind {
  readonly recipe: { readonly family: "direct" };
}

/** What a receipt of such a model binds, and what the model registers; of models that are not known, either kind. */
export type QueryOf<Parts extends ModelParts> = ModelParts extends Parts
  ? ModelQuery
  : Parts extends DirectKind
    ? DirectQuery
    : Int16Array;
export type FeaturesOf<Parts extends ModelParts> = ModelParts extends Parts
  ? RegisteredMatrix
  : Parts extends DirectKind
    ? DirectFeatures
    : QuantisedFeatures;

/** What rows are, and so what a model of them is asked. */
export type PromptKind = "email" | "digit" | "text";

/** The half of a family that customers need: without rows and without training. Runs in pages, too. */
export interface ModelFamily<Parts extends ModelParts = ModelParts> {
  /** As `recipe.family` spells it. */
  readonly name: string;
  /** @throws ATT_RECIPE_INVALID */
  parseRecipe(json: unknown): Parts["recipe"];
  promptKind(recipe: Parts["recipe"]): PromptKind;
  encode(parts: Parts): Omit<AnsweringFiles, "recipe">;
  /**
   * Most bytes that the files of a recipe take, before a server is asked for them.
   * @param rowCount of the version @throws what a recipe is refused for whose model cannot be laid out
   */
  maxBytes(recipe: Parts["recipe"], rowCount: number): Promise<{ parameters: number; queryMap: number }>;
  /** @throws ATT_MODEL_FILE_INVALID */
  decode(recipe: Parts["recipe"], files: Omit<AnsweringFiles, "recipe">): Parts;
  /** Ready to answer. @throws ATT_MODEL_FILE_INVALID where the parts do not fit together */
  open(parts: Parts): Promise<AnsweringModel>;
  /** Of families with bases: the numbers of the base's weights that a recipe computes by, to be shown. */
  weightsOf?(recipe: Parts["recipe"]): Promise<string>;
  /**
   * Of families whose models share files that are not published with each (a language model's base): the bytes of one,
   * for a server to hand out; null for any other name. Anyone who takes them compares them with the recipe.
   */
  readShared?(parts: Parts, file: string): Promise<Uint8Array | null>;
}

/** What a recipe makes of the rows of a version: all that is published and registered comes from here. */
export type Trained<Parts extends ModelParts = ModelParts> = Parts & {
  /** In the version's order. */
  readonly rows: readonly OwnedRow[];
  readonly payees: readonly Payee[];
  /** G: rows × columnCount; of a direct model B. */
  readonly features: RegisteredMatrix;
  /** Part of the rows that the model itself labels as their contributors did; null where rows have no labels. */
  readonly accuracy: number | null;
};

export interface TrainOptions {
  readonly onProgress?: OnProgress;
  /** Where a long training keeps its state, so that a killed one goes on to the same bytes. */
  readonly stateFolder?: string | undefined;
}

/** The half of a family that makes models and checks how they were made. */
export interface FamilyTraining<Parts extends ModelParts = ModelParts> {
  readonly family: ModelFamily<Parts>;
  /** Before anything is trained. @throws ATT_TOO_FEW_ROWS, ATT_RECIPE_INVALID, ATT_ROW_INVALID with what to change */
  requireTrainable(contents: readonly Uint8Array[], recipe: Parts["recipe"]): void;
  /**
   * Deterministic to the byte. Needs `initPoseidon`: the rows are compared with the root that the recipe names.
   * @throws ATT_ROWS_MISMATCH, ATT_ROW_INVALID, ATT_DUPLICATE_ROW, ATT_RECIPE_INVALID
   */
  train(rows: readonly OwnedRow[], recipe: Parts["recipe"], options: TrainOptions): Promise<Trained<Parts>>;
  /** Of recipes whose G comes from the whole run: true, and `features` is not asked. */
  needsRun?(recipe: Parts["recipe"]): boolean;
  /** G, or B, from parts that are there already, without training. */
  features(
    parts: Parts,
    rows: readonly OwnedRow[],
    options: { onProgress?: OnProgress },
  ): Promise<RegisteredMatrix>;
  /** How well the model does on its rows, as a sentence. */
  describe(trained: Trained<Parts>): string;
}

/** A published model as a customer's client checks answers with it (client/actions/answers/check-answer.ts). */
export async function openCheckable<Parts extends ModelParts>(
  model: Parts & { readonly staticsHash: bigint },
) {
  const answering = (await model.family.open(model)) as AnsweringModel<QueryOf<Parts>>;
  const assurance = (checked: CheckedReply) => assuranceOf(model.recipe, checked);
  return { ...answering, assurance, defences: defencesOf(model.recipe), staticsHash: model.staticsHash };
}

/** The family that a recipe's JSON names. @throws ATT_RECIPE_INVALID */
export function familyOf<Family extends { readonly name: string }>(
  json: unknown,
  families: readonly Family[],
): Family {
  const given = (json as { family?: unknown } | null)?.family;
  const family = families.find(({ name }) => name === given);
  if (family !== undefined) return family;
  const known = families.map(({ name }) => name);
  throw attributionError(
    "ATT_RECIPE_INVALID",
    `the recipe's family is ${JSON.stringify(given ?? null).slice(0, 80)}; known here: ${known.join(", ")}`,
    { data: { known } },
  );
}

/** The training of a recipe's family. @throws ATT_RECIPE_INVALID */
export function trainingOf(json: unknown, trainings: readonly FamilyTraining[]): FamilyTraining {
  const family = familyOf(
    json,
    trainings.map((training) => training.family),
  );
  return trainings.find((training) => training.family.name === family.name)!;
}
