/** Figures of a job in words, so that jobs of one kind can be compared: accuracy of those that sort, loss of those that write. */
import type { FactoryAccuracy, FactoryJob, FactoryUse } from "@openledger/models/factory/factory-api";

export const USE_WORDS: Readonly<Record<FactoryUse, string>> = {
  sort: "sorts",
  predict: "predicts",
  write: "writes",
};

export const percentOf = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** Figure on rows that the model has not learned from; null before there is one. */
export function figureOf({ accuracy, form, heldOutLoss, result }: FactoryJob): string | null {
  if (form.use === "write") {
    const loss = result?.losses?.heldOut?.after.natsPerToken ?? heldOutLoss;
    return loss === null || loss === undefined ? null : `loss ${loss.toFixed(2)}`;
  }
  return accuracy === null ? null : `${percentOf(accuracy)} right`;
}

/** "57 of 60 unseen rows are right (95.0 %)." */
export function sayAccuracy({ commonestCount, judgedCount, rightCount }: FactoryAccuracy): string {
  const own = `${rightCount} of ${judgedCount} unseen rows are right (${percentOf(rightCount / judgedCount)}).`;
  return `${own} The commonest label alone would be right in ${percentOf(commonestCount / judgedCount)}.`;
}
