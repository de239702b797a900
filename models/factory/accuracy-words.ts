/** Sentences about the accuracy of a model that sorts, beside a model that always answers the most common label. */
import type { FactoryAccuracy, JobEvent } from "./factory-api.ts";

type Counts = Pick<FactoryAccuracy, "commonestCount" | "judgedCount" | "rightCount">;

export const percentOf = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** True if the model has learned nothing that counting labels would not tell. */
export const isNoBetter = ({ commonestCount, rightCount }: Counts): boolean => rightCount <= commonestCount;

/** "57 of 60 unseen rows are labelled correctly (95.0 %). Always answering the most common label would give 26.7 %." */
export function sayAccuracy(counts: Counts): string {
  const { commonestCount, judgedCount, rightCount } = counts;
  const own = `${rightCount} of ${judgedCount} unseen rows are labelled correctly (${percentOf(rightCount / judgedCount)}).`;
  const baseline = percentOf(commonestCount / judgedCount);
  return isNoBetter(counts)
    ? `${own} That is no better than always answering the most common label (${baseline}).`
    : `${own} Always answering the most common label would give ${baseline}.`;
}

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
  if (gain < -0.01) return `${scale} The last doubling of rows lowered it by ${pointsOf(-gain)}.`;
  return gain > 0.01
    ? `${scale} More rows still help: the last doubling added ${pointsOf(gain)}.`
    : `${scale} The last doubling of rows added little.`;
}

/** Difference of two shares: 5 percentage points are no 5 %. */
const pointsOf = (difference: number) => `${(100 * difference).toFixed(1)} percentage points`;
