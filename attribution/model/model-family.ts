/**
 * The interface that each kind of model implements, so that the ledger can pay its rows: `ModelFamily` reads and
 * answers, `FamilyTraining` trains and computes again. Direct models (classifiers) implement
 * it in model/direct/; language models in models/, which imports attribution/. So commands, servers and verifiers pass
 * in the families that they know.
 *
 * Common to all kinds are rows, payees, files, receipts, settlement, a registered matrix of integers (G of int8; of a
 * direct model contrasts of int16), and the statics: what never changes of a model on the ledger, with commitments to its
 * matrix, owners and shares.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import type { Payee } from "@openledger/circuits/ledger/rewards";
import { attributionError } from "../attribution-errors.ts";
import type { DirectFeatures, RegisteredMatrix } from "../features/direct-rows.ts";
import type { QuantisedFeatures } from "../features/quantise.ts";
import type { OnProgress } from "../progress.ts";
import type { InputKind } from "../rows/row-kinds.ts";
import type { HeldOutFigures } from "./held-out-odds.ts";
import type { ModelChat } from "./model-chat.ts";
import type { ModelFigure } from "./model-figure.ts";
import type { OwnedRow } from "./owned-rows.ts";
import type { RecipeBase } from "./recipe-fields.ts";
import { assuranceOf, type CheckedReply, defencesOf } from "./reply-assurance.ts";
import type { TellingColumn } from "./telling-words.ts";

/** A label with its part of 1, by the registered logits. */
export interface LabelShare {
  readonly label: string;
  readonly share: number;
}

/** Answer of a model to a prompt, and the query that its receipt binds. */
export interface ModelAnswer<Query extends ModelQuery = ModelQuery> {
  /** Label of a direct model's answer, else null. */
  readonly label: string | null;
  /** All labels of a direct model with their parts of 1, the answer first: shown, and no part of the receipt. */
  readonly labels?: readonly LabelShare[];
  /** The answer that receipts hash: JSON, {"label":…} of a direct model. */
  readonly text: string;
  /** columnCount odd numbers, −255 … 255; of a direct model the prompt's counts with the pair of labels. */
  readonly query: Query;
}

/** A model that answers, as a plain object. A prompt is a text, a picture's file in base64, or a table's row in JSON. */
export interface AnsweringModel<Query extends ModelQuery = ModelQuery> {
  /**
   * Answers a prompt. The same prompt gives the same bytes on every machine.
   * @param onText called with the text so far, by models that write word by word. @throws ATT_ROW_INVALID
   */
  answer(prompt: string, onText?: (soFar: string) => void): ModelAnswer<Query>;
  /**
   * Query of a given answer, without answering again. Present only where answering costs much more.
   * @param text as `ModelAnswer.text`. @throws ATT_ANSWER_INVALID for a text that no such model answers
   */
  queryOf?(prompt: string, text: string): Query;
  /**
   * Question of the row whose answer is said to a prompt, without answering: of models that say rows' answers alone.
   * @throws ATT_NO_ROW_ANSWERS
   */
  rowQuestionOf?(prompt: string): string;
  /** Its chats, if it is a language model. */
  readonly chat?: ModelChat;
}

/** The files that answer, as published: their hash is in the model's statics. */
export interface AnsweringFiles {
  readonly recipe: Uint8Array;
  readonly parameters: Uint8Array;
  readonly queryMap: Uint8Array;
}

/** Parts that answer, with the family that opens them. A family adds fields of its own. */
export interface ModelParts {
  readonly family: ModelFamily;
  readonly recipe: RecipeBase;
}

interface DirectKind {
  readonly recipe: { readonly family: "direct" };
}

/**
 * Query that a receipt of such a model binds, and matrix that the model registers; either kind where the model is
 * unknown.
 */
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

/** Kind of a model's rows, and so of its prompts. */
export type PromptKind = InputKind;

/** The half of a family that customers need: without rows and without training. Runs in pages, too. */
export interface ModelFamily<Parts extends ModelParts = ModelParts> {
  /** Name in `recipe.family`. */
  readonly name: string;
  /** @throws ATT_RECIPE_INVALID */
  parseRecipe(json: unknown): Parts["recipe"];
  promptKind(recipe: Parts["recipe"]): PromptKind;
  encode(parts: Parts): Omit<AnsweringFiles, "recipe">;
  /**
   * Maximum bytes of a recipe's files, before a server is asked for them.
   * @param rowCount of the version @throws the refusal of a recipe whose model cannot be laid out
   */
  maxBytes(recipe: Parts["recipe"], rowCount: number): Promise<{ parameters: number; queryMap: number }>;
  /** @throws ATT_MODEL_FILE_INVALID */
  decode(recipe: Parts["recipe"], files: Omit<AnsweringFiles, "recipe">): Parts;
  /** Ready to answer. @throws ATT_MODEL_FILE_INVALID where the parts do not fit together */
  open(parts: Parts): Promise<AnsweringModel>;
  /** Number format of the base's weights that a recipe computes by, for display; only families with bases have it. */
  weightsOf?(recipe: Parts["recipe"]): Promise<string>;
  /**
   * Bytes of a file that models of this family share and that is not published with each (a language model's base, a classifier's
   * word vectors), for a server to hand out; null for any other name. Readers compare the bytes with the recipe.
   */
  readShared?(parts: Parts, file: string): Promise<Uint8Array | null>;
}

/** Result of a recipe on the rows of a version: everything that is published and registered comes from it. */
export type TrainedModel<Parts extends ModelParts = ModelParts> = Parts & {
  /** Rows in the version's order. */
  readonly rows: readonly OwnedRow[];
  readonly payees: readonly Payee[];
  /** G: rows × columnCount of int8; of a direct model its contrasts of int16, with the logits' row behind (direct-rows.ts). */
  readonly features: RegisteredMatrix;
  /** Part of the rows that the model itself labels as was accepted; null where it reads no labels. */
  readonly accuracy: number | null;
  /** Figures of rows that models like this one had not seen, of a classifier. Absent: nobody asked for them. */
  readonly heldOut?: HeldOutFigures | null;
};

export interface TrainOptions {
  readonly onProgress?: OnProgress;
  /** Folder for the state of a long training, so that a killed one goes on to the same bytes. */
  readonly stateFolder?: string | undefined;
  /** False: a classifier's held-out figures are left out, which take five more trainings. */
  readonly withHeldOut?: boolean;
  /** Folds of these figures, 2 … 20; default 5. */
  readonly foldCount?: number;
}

/** Errors of models like a published one on rows that they have not learned from, by the rows' places. */
export interface UnseenErrors {
  /**
   * Unit of the values: "labels" are 1 if the row's label differs from the accepted one, else 0; "losses" are nats a
   * token.
   */
  readonly kind: "labels" | "losses";
  /** Which rows are judged, and by what: a sentence's part. */
  readonly how: string;
  readonly values: ReadonlyMap<number, number>;
}

/** The half of a family that makes models and checks how they were made. */
export interface FamilyTraining<Parts extends ModelParts = ModelParts> {
  readonly family: ModelFamily<Parts>;
  /**
   * Checks rows, labels and recipe before training. @throws ATT_TOO_FEW_ROWS, ATT_RECIPE_INVALID, ATT_ROW_INVALID,
   * ATT_LABEL_INVALID with what to change
   */
  requireTrainable(
    rows: readonly Pick<OwnedRow, "content" | "label">[],
    recipe: Parts["recipe"],
  ): Promise<void>;
  /**
   * Deterministic to the byte. Needs `initPoseidon`: the rows are compared with the root that the recipe names.
   * @throws ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH, ATT_ROW_INVALID, ATT_DUPLICATE_ROW, ATT_RECIPE_INVALID
   */
  train(
    rows: readonly OwnedRow[],
    recipe: Parts["recipe"],
    options: TrainOptions,
  ): Promise<TrainedModel<Parts>>;
  /**
   * The parts that answer alone, without the registered matrix. Present where that takes much longer.
   * @throws as `train`
   */
  fit?(rows: readonly OwnedRow[], recipe: Parts["recipe"]): Promise<Parts>;
  /** True for recipes whose matrix comes from the whole training: `features` is not called. */
  needsRun?(recipe: Parts["recipe"]): boolean;
  /** The registered matrix from parts that are there already, without training. */
  features(
    parts: Parts,
    rows: readonly OwnedRow[],
    options: { onProgress?: OnProgress },
  ): Promise<RegisteredMatrix>;
  /**
   * Judges rows that the model, or models of its other rows, have not seen: the same numbers on every machine. No values where the
   * recipe leaves none to judge. Needs `initPoseidon`.
   * @throws as `train`
   */
  unseen(
    parts: Parts,
    rows: readonly OwnedRow[],
    options: { onProgress?: OnProgress },
  ): Promise<UnseenErrors>;
  /** True if the recipe's inputs are those that its rows give. Absent: a family whose recipes choose none. */
  areInputsOfRows?(rows: readonly OwnedRow[], recipe: Parts["recipe"]): Promise<boolean>;
  /**
   * Columns that number the rows, or tell the label by themselves: said before a training. Absent: a family without labels. A row that is
   * none of the recipe's kind does not count.
   */
  tellingColumns?(rows: readonly OwnedRow[], recipe: Parts["recipe"]): Promise<TellingColumn[]>;
  /**
   * The figure of the recipe's model that its leaf signs: the same numbers on every machine. null where no row can be judged. Absent: a
   * family without labels. Needs `initPoseidon`.
   * @throws as `train`
   */
  figure?(
    rows: readonly OwnedRow[],
    recipe: Parts["recipe"],
    options: Pick<TrainOptions, "foldCount" | "onProgress">,
  ): Promise<ModelFigure | null>;
  /** Quality of the model on its rows, as a sentence. */
  describe(trained: TrainedModel<Parts>): string;
}

/**
 * A published model as a customer's client checks answers with it (client/actions/answers/check-answer.ts).
 * @param estimateOf computes whom an answer pays, where the customer has the model's matrix (paying-part.ts)
 */
export async function openCheckable<Parts extends ModelParts, Estimate = never>(
  model: Parts & { readonly staticsHash: bigint },
  estimateOf?: (queryBytes: Uint8Array) => Estimate,
) {
  const answering = (await model.family.open(model)) as AnsweringModel<QueryOf<Parts>>;
  const assurance = (checked: CheckedReply) => assuranceOf(model.recipe, checked);
  return {
    ...answering,
    assurance,
    defences: defencesOf(model.recipe),
    staticsHash: model.staticsHash,
    ...(estimateOf === undefined ? {} : { estimateOf }),
  };
}

/** The family that a recipe's JSON names. @throws ATT_RECIPE_INVALID */
export function familyOf<Family extends { readonly name: string }>(
  json: unknown,
  families: readonly Family[],
): Family {
  const input = (json as { family?: unknown } | null)?.family;
  const family = families.find(({ name }) => name === input);
  if (family !== undefined) return family;
  const known = families.map(({ name }) => name);
  throw attributionError(
    "ATT_RECIPE_INVALID",
    `the recipe's family is ${JSON.stringify(input ?? null).slice(0, 80)}; known here: ${known.join(", ")}`,
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
