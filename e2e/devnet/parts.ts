/**
 * The job's Datanets, and models of them. A model more of a Datanet is one entry more in MODELS, with its recipe and its
 * questions.
 */
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import type { Card } from "@openledger/datanets/card/card";
import { baseSourceAt, OWN_BASE, OWN_BASE_NAME } from "@openledger/models/tuning/base/base-address";
import { classifierRecipe, textPreset } from "@openledger/models/tuning/recipe/recipe-presets";
import { CONTRIBUTORS, type ContributorName, devnetPaths, type PersonName } from "./config.ts";
import { MAIL_CLASSES, mailCard, speechCard } from "./content/cards.ts";
import { commitRows, heldOutMails, isLabelWrong } from "./content/mails.ts";
import { citationPrompts, speechPrompts, speechRows } from "./content/speeches.ts";
import { COMMIT_COUNT, contributorOf, type DevnetPlan, validatorOf } from "./plan.ts";

export interface PlannedCommit {
  readonly contributor: ContributorName;
  /** Validator who checks the commit, and vouches for what is right. */
  readonly validator: "vera" | "walt";
  readonly rows: readonly Uint8Array[];
  /** Labels that the contributor signs beside the rows; null: the rows have none. */
  readonly labels: readonly string[] | null;
  /** true: its labels are turned round, and its rows stay out of the version. */
  readonly isWrong: boolean;
}

export const DATANET_NAMES = ["mails", "speeches"] as const;
export type DatanetName = (typeof DATANET_NAMES)[number];
export const MODEL_NAMES = ["mails", "speeches"] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

export interface DatanetPart {
  readonly name: DatanetName;
  /** Plural noun for its rows, in sentences at the terminal. */
  readonly rowNoun: string;
  /** true: its rows are labelled and reviewed on the Datanet host before the version, and nobody shares a folder. */
  readonly isLabelled: boolean;
  card(leaves: Readonly<Record<PersonName, number>>): Card;
  commits(plan: DevnetPlan): PlannedCommit[];
}

export interface ModelPart {
  readonly name: ModelName;
  /** Name of the model in the pages. */
  readonly title: string;
  readonly datanet: DatanetName;
  /** The model as published. */
  readonly folder: string;
  prompts(plan: DevnetPlan): { readonly text: string; readonly rightLabel: string | null }[];
  /** Size of the circuit that settles it. */
  size(plan: DevnetPlan): SettlementSize;
  /** Everything that the model's bytes depend on, beside the rows. */
  recipe(plan: DevnetPlan, rowCount: number): Promise<Omit<RecipeBase, "datanet">>;
}

/** The journal's name of a step: those of the mails have none before them. */
export const stepOf = (name: DatanetName | ModelName, step: string): string =>
  name === "mails" ? step : `${name}-${step}`;

export const DATANETS: Readonly<Record<DatanetName, DatanetPart>> = {
  mails: {
    name: "mails",
    rowNoun: "labelled e-mails",
    isLabelled: true,
    card: mailCard,
    commits: (plan) =>
      Array.from({ length: COMMIT_COUNT }, (_, index) => ({
        contributor: contributorOf(index),
        validator: validatorOf(index),
        rows: commitRows(plan, index).map(({ content }) => content),
        labels: commitRows(plan, index).map(({ label }) => label),
        isWrong: isLabelWrong(index),
      })),
  },
  speeches: {
    name: "speeches",
    rowNoun: "passages of speeches",
    isLabelled: false,
    card: speechCard,
    commits: ({ speeches }) =>
      CONTRIBUTORS.map((contributor, index) => ({
        contributor,
        validator: validatorOf(index),
        rows: speechRows(speeches.rowsOf, contributor),
        labels: null,
        isWrong: false,
      })),
  },
};

export const MODELS: Readonly<Record<ModelName, ModelPart>> = {
  mails: {
    name: "mails",
    title: "Spam filter",
    datanet: "mails",
    folder: devnetPaths.model,
    prompts: (plan) => heldOutMails(plan).map(({ label, text }) => ({ text, rightLabel: label })),
    size: ({ direct }) => direct,
    recipe: async ({ direct }, rowCount) => ({
      ...classifierRecipe({
        rowCount,
        inputs: { kind: "text", bucketCount: direct.features },
        classes: MAIL_CLASSES,
      }),
      seed: "devnet",
    }),
  },
  speeches: {
    name: "speeches",
    title: "Speech writer",
    datanet: "speeches",
    folder: devnetPaths.speechModel,
    prompts: ({ speeches: { questionCount, rowsOf } }) =>
      [...speechPrompts(questionCount), ...citationPrompts(rowsOf, questionCount)].map((text) => ({
        text,
        rightLabel: null,
      })),
    size: ({ settlement }) => settlement,
    recipe: speechRecipe,
  },
};

/**
 * The preset "cited-texts" with shorter prompts and answers, tuned by two rounds through the rows. The job waits for it, and
 * the tuning is repeated in the end: half as many matrices as usual, and larger steps, of which few rows give few.
 */
async function speechRecipe({ settlement, speeches }: DevnetPlan, rowCount: number) {
  const columnCount = settlement.features;
  const preset = await textPreset(baseSourceAt(OWN_BASE), OWN_BASE_NAME, {
    rowCount,
    columnCount,
    isCiting: true,
  });
  const steps = Math.ceil((2 * rowCount) / preset.tuning.rowsPerStep);
  const answers = { ...preset.answers, promptTokens: 160, answerTokens: speeches.answerTokens };
  const tuning = {
    ...preset.tuning,
    steps,
    warmupSteps: Math.ceil(steps / 10),
    rate: 2 * preset.tuning.rate,
  };
  const adapter = { ...preset.adapter, targets: ["v_proj"] as const };
  const retrieval = { ...preset.retrieval!, excerptTokens: 40 };
  return { ...preset, seed: "devnet", adapter, tuning, answers, retrieval, columnCount };
}
