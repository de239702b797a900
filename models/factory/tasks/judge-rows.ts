/**
 * Held-out figures of a model that sorts: its rows in folds, each judged by a model of the other folds, and the same with fewer
 * rows to learn from, which shows whether more would help. Any family with labels: it is trained and asked as it will be.
 */
import { inputFieldsOf } from "@openledger/attribution/inputs/model-inputs";
import { eachFold } from "@openledger/attribution/model/folds";
import { type HonestFolds, honestFolds } from "@openledger/attribution/model/honest-folds";
import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { rowLabelsRoot } from "@openledger/attribution/model/rows-root";
import { tellingColumns } from "@openledger/attribution/model/telling-columns";
import { plainFigures } from "@openledger/attribution/model/unseen-figures";
import {
  confusionOf,
  type PlainFigures,
  rightCount,
  unseenShares,
} from "@openledger/attribution/model/unseen-shares";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import type { ModelPlan } from "../../tuning/recipe/plan-model.ts";
import type { FactoryAccuracy } from "../factory-api.ts";

/** Parts of the other folds' rows that a model learns from, the last of which gives the figures. */
const PARTS = [0.25, 0.5, 1] as const;
/** A part of fewer rows would be a model of nothing. */
const MIN_ROWS = 4;

/** Answer to a row by a model that has not learned from it. */
export interface JudgedRow {
  /** Place of the row. */
  readonly row: number;
  readonly answered: string;
}

/** Answers of the models of one part. */
export interface JudgedPart {
  readonly trainedRowCount: number;
  readonly judged: readonly JudgedRow[];
}

/** Trainings that judging takes. */
export const judgingSteps = (rowCount: number, foldCount: number): number =>
  foldCount * partsFor(rowCount, foldCount).length;

const partsFor = (rowCount: number, foldCount: number) =>
  foldCount === 0
    ? []
    : PARTS.filter((part) => part * othersOf(rowCount, foldCount) >= MIN_ROWS || part === 1);

const othersOf = (rowCount: number, foldCount: number) =>
  Math.floor((rowCount * (foldCount - 1)) / foldCount);

/** Folds of the rows: near copies in one, and a contributor's where enough people contributed. */
export const judgingFolds = (
  { recipe, training }: ModelPlan,
  rows: readonly OwnedRow[],
  foldCount: number,
): Promise<HonestFolds> =>
  honestFolds(rows, {
    shape: { kind: training.family.promptKind(recipe), fields: inputFieldsOf(recipe) ?? [] },
    foldCount,
    seed: recipe.seed,
  });

/**
 * Judges the rows, part after part: yields after each training, with the part where it is the last of one. Deterministic: it
 * depends on recipe, rows and folds alone.
 */
export async function* judgeRows(
  { recipe, training }: ModelPlan,
  rows: readonly OwnedRow[],
  foldCount: number,
  { folds, order }: Pick<HonestFolds, "folds" | "order">,
): AsyncGenerator<JudgedPart | null> {
  for (const part of partsFor(rows.length, foldCount)) {
    const judged: JudgedRow[] = [];
    let trainedRowCount = 0;
    for (const { fold, others, own } of eachFold(folds, foldCount, order)) {
      // Evenly spaced through the labels.
      const count = Math.max(1, Math.round(part * others.length));
      const learned = Array.from(
        { length: count },
        (_, i) => others[Math.floor((i * others.length) / count)]!,
      );
      trainedRowCount = Math.max(trainedRowCount, count);
      const answer = await answererOf(
        training,
        recipe,
        learned.map((i) => rows[i]!),
      );
      if (answer !== null) for (const row of own) judged.push({ row, answered: answer(rows[row]!.content) });
      yield fold === foldCount - 1 ? { trainedRowCount, judged } : null;
    }
  }
}

/** Asks a model of these rows; null where they can make none. */
async function answererOf(
  training: FamilyTraining,
  recipe: RecipeBase,
  rows: readonly OwnedRow[],
): Promise<((content: Uint8Array) => string) | null> {
  if (new Set(rows.map(({ label }) => label)).size < 2) return null;
  // One version and one owner: nothing of it is registered.
  const owned = rows.map(({ content, label }) => ({
    content,
    label: label!,
    contributorId: 1,
    validatorId: 1,
  }));
  const root = versionRowsRoot(
    owned.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  const { furtherDatanets: _, ...single } = recipe;
  const datanet = { ...recipe.datanet, rowsRoot: hex32(root), labels: hex32(rowLabelsRoot(owned)!) };
  const own = training.family.parseRecipe({ ...single, datanet });
  // Answers need no registered matrix, which takes longer than the training.
  const parts = await (training.fit?.(owned, own) ?? training.train(owned, own, {}));
  const model = await training.family.open(parts);
  const kind = training.family.promptKind(recipe);
  return (content) => model.answer(inputOf(kind, content)).label!;
}

/** Figures of judged rows, beside those of plain baselines on the same folds. */
export async function accuracyOf(
  { recipe, training }: ModelPlan,
  judged: readonly JudgedRow[],
  rows: readonly OwnedRow[],
  { foldCount, folds, isByContributor, labels, plain: known }: JudgedIn,
): Promise<FactoryAccuracy> {
  const isJudged = new Uint8Array(rows.length);
  for (const { row } of judged) isJudged[row] = 1;
  const shape = { kind: training.family.promptKind(recipe), fields: inputFieldsOf(recipe) ?? [] };
  const plain =
    known ??
    (await plainFigures(
      shape,
      rows.map(({ content }) => content),
      {
        labels: Int32Array.from(rows, ({ label }) => labels.indexOf(label!)),
        classCount: labels.length,
        ...{ folds, foldCount, isJudged },
      },
    ));
  const confusion = confusionOf(
    labels.length,
    judged.map(({ answered, row }) => [labels.indexOf(rows[row]!.label!), labels.indexOf(answered)]),
  );
  const interval = unseenShares(confusion)?.interval;
  const low = interval === undefined ? {} : { low: interval[0] };
  return {
    foldCount,
    isByContributor,
    telling: tellingColumns(shape, rows, { folds, foldCount, ...low }),
    judgedCount: judged.length,
    plainCount: plain?.logisticCount ?? null,
    rightCount: rightCount(confusion),
    commonestCount: Math.max(...confusion.map((counts) => counts.reduce((sum, count) => sum + count, 0))),
    labels: [...labels],
    confusion,
  };
}

interface JudgedIn extends Pick<HonestFolds, "folds" | "isByContributor"> {
  readonly foldCount: number;
  /** Labels in the order of the card. */
  readonly labels: readonly string[];
  /** Baselines of the same rows and folds, where they are known already. */
  readonly plain?: PlainFigures | null | undefined;
}
