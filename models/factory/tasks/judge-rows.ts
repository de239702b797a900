/**
 * Held-out figures of a model that sorts: its rows in folds, each judged by a model of the other folds, and the same with fewer
 * rows to learn from, which shows whether more would help. Any family with labels: it is trained and asked as it will be.
 */
import { eachFold, foldsByLabel } from "@openledger/attribution/model/folds";
import { confusionOf, rightCount } from "@openledger/attribution/model/held-out-odds";
import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { rowLabelsRoot } from "@openledger/attribution/model/rows-root";
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

/**
 * Judges the rows, part after part: yields after each training, with the part where it is the last of one. Deterministic: it
 * depends on recipe, rows and folds alone.
 */
export async function* judgeRows(
  { recipe, training }: ModelPlan,
  rows: readonly OwnedRow[],
  foldCount: number,
): AsyncGenerator<JudgedPart | null> {
  const labels = rows.map(({ label }) => label ?? "");
  const { folds, order } = foldsByLabel(labels, foldCount, recipe.seed);
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

/** Figures of judged rows. */
export function accuracyOf(
  judged: readonly JudgedRow[],
  rows: readonly OwnedRow[],
  labels: readonly string[],
  foldCount: number,
): FactoryAccuracy {
  const confusion = confusionOf(
    labels.length,
    judged.map(({ answered, row }) => [labels.indexOf(rows[row]!.label!), labels.indexOf(answered)]),
  );
  return {
    foldCount,
    judgedCount: judged.length,
    rightCount: rightCount(confusion),
    commonestCount: Math.max(...confusion.map((counts) => counts.reduce((sum, count) => sum + count, 0))),
    labels: [...labels],
    confusion,
  };
}
