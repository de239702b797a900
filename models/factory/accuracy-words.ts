/** Sentences about the accuracy of a model that sorts, beside the most common label and plain logistic regression. */
import { unseenShares, wilson } from "@openledger/attribution/model/unseen-shares";
import type { FactoryAccuracy, JobEvent } from "./factory-api.ts";

type Counts = Pick<FactoryAccuracy, "commonestCount" | "judgedCount" | "rightCount"> &
  Partial<Pick<FactoryAccuracy, "confusion" | "plainCount">>;

export const percentOf = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** True if the model has learned nothing that counting labels would not tell. */
export const isNoBetter = ({ commonestCount, rightCount }: Counts): boolean => rightCount <= commonestCount;

/**
 * "57 of 60 unseen rows are labelled correctly (95.0 %; with 60 rows, 86.3 to 98.3 %). Always answering the most common label would give
 * 26.7 %, plain logistic regression 93.3 %. The mean of the labels' recalls is 94.1 %."
 */
export function sayAccuracy(counts: Counts): string {
  const { commonestCount, confusion, judgedCount, plainCount = null, rightCount } = counts;
  const [low, high] = wilson(rightCount / judgedCount, judgedCount);
  const own = `${rightCount} of ${judgedCount} unseen rows are labelled correctly (${percentOf(rightCount / judgedCount)}; with so few rows ${percentOf(low)} to ${percentOf(high)}).`;
  const baseline = percentOf(commonestCount / judgedCount);
  const plain =
    plainCount === null ? "" : `, plain logistic regression ${percentOf(plainCount / judgedCount)}`;
  const recall = confusion === undefined ? null : (unseenShares(confusion)?.macroRecall ?? null);
  const ofLabels = recall === null ? "" : ` The mean of the labels' recalls is ${percentOf(recall)}.`;
  return isNoBetter(counts)
    ? `${own} That is no better than always answering the most common label (${baseline}${plain}).${ofLabels}`
    : `${own} Always answering the most common label would give ${baseline}${plain}.${ofLabels}`;
}

/** Sentence on the folds of a figure, which keep a row and its copies on one side. */
export const sayFolds = ({ isByContributor }: Pick<FactoryAccuracy, "isByContributor">): string =>
  isByContributor
    ? "Near copies, and all rows of a contributor, are in one fold: no row is judged by a model of its copies or of its contributor's other rows."
    : "Near copies are in one fold: no row is judged by a model of its copies. Rows of a contributor are not kept together, since too few people contributed.";

/** Reads the curve of a training in words: whether more rows would help. @param judged its points, by rows learned from */
export function sayCurve(
  judged: readonly Pick<Extract<JobEvent, { kind: "judged" }>, "judgedCount" | "rightCount">[],
  isDone: boolean,
): string {
  const scale = "Each row is judged by a model that was not trained on it.";
  const [before, last] = [judged.at(-2), judged.at(-1)];
  if (before === undefined || last === undefined)
    return `${scale} ${isDone ? "There are too few rows for a curve." : "The curve starts with a few training rows."}`;
  const gain = last.rightCount / last.judgedCount - before.rightCount / before.judgedCount;
  // The earlier share outside of the later one's interval: else chance alone may have moved it.
  const [low, high] = wilson(last.rightCount / last.judgedCount, last.judgedCount);
  const earlier = before.rightCount / before.judgedCount;
  if (earlier > high) return `${scale} The last doubling of rows lowered it by ${pointsOf(-gain)}.`;
  return earlier < low
    ? `${scale} More rows still help: the last doubling added ${pointsOf(gain)}.`
    : `${scale} The last doubling of rows changed it by less than chance may: whether more rows help is not known.`;
}

/** Difference of two shares: 5 percentage points are no 5 %. */
const pointsOf = (difference: number) => `${(100 * difference).toFixed(1)} percentage points`;
