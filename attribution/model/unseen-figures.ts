/**
 * Accuracies of counting labels and of plain logistic regression on the folds of a model's figure. Trainings and the factory show them beside it:
 * an accuracy alone says nothing.
 */
import type { InputShape } from "../inputs/choose-inputs.ts";
import { eachFold, type Folds } from "./folds.ts";
import { majorityOf, plainBaseline } from "./plain-baseline.ts";
import { confusionOf, type PlainFigures, rightCount, unseenShares } from "./unseen-shares.ts";

/**
 * Baselines of judged rows: each is labelled by plain models of the other folds' rows.
 * @param labels class of each row @param isJudged 1 for the rows that the model's figure is of; null without one
 */
export async function plainFigures(
  shape: InputShape,
  contents: readonly Uint8Array[],
  { classCount, folds, foldCount, isJudged, labels }: PlainRows,
): Promise<PlainFigures | null> {
  const baseline = await plainBaseline(shape, contents, labels, classCount);
  const pairs: [number, number][] = [];
  let common = 0;
  for (const { others, own } of eachFold(folds, foldCount)) {
    const judged = own.filter((i) => isJudged[i] === 1);
    if (judged.length === 0 || new Set(others.map((i) => labels[i]!)).size < 2) continue;
    const answered = baseline.label(others, judged);
    const commonest = majorityOf(labels, others, classCount);
    for (const [k, i] of judged.entries()) {
      pairs.push([labels[i]!, answered[k]!]);
      if (labels[i] === commonest) common += 1;
    }
  }
  const confusion = confusionOf(classCount, pairs);
  const shares = unseenShares(confusion);
  if (shares === null) return null;
  return {
    logistic: shares.accuracy,
    logisticCount: rightCount(confusion),
    logisticMacroRecall: shares.macroRecall,
    majority: common / pairs.length,
    majorityCount: common,
  };
}

interface PlainRows {
  readonly labels: Int32Array;
  readonly classCount: number;
  readonly folds: Folds["folds"];
  readonly foldCount: number;
  readonly isJudged: ArrayLike<number>;
}
