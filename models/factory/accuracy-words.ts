/** Sentences about the accuracy of a model that sorts, beside a model that always answers the most common label. */
import type { FactoryAccuracy } from "./factory-api.ts";

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
