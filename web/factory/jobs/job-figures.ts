/** Figures of a job in words, so that jobs of one kind can be compared: accuracy of those that sort, loss of those that write. */
import { isNoBetter, percentOf } from "@openledger/models/factory/accuracy-words";
import type { FactoryJob, FactoryUse } from "@openledger/models/factory/factory-api";
import { showDuration } from "../../words/format.ts";

const USE_WORDS: Readonly<Record<FactoryUse, string>> = {
  sort: "classifier",
  predict: "predictor",
  write: "language model",
};

/** Kind of a job's model, with its base. */
export const kindOf = ({ baseName, form }: FactoryJob): string =>
  baseName === null ? USE_WORDS[form.use] : `${USE_WORDS[form.use]} on ${baseName}`;

/** Figure on rows that the model has not learned from; null before there is one. */
export function figureOf({ accuracy, form, heldOutLoss, result }: FactoryJob): string | null {
  if (form.use === "write") {
    const loss = result?.losses?.heldOut?.after.natsPerToken ?? heldOutLoss;
    return loss === null || loss === undefined ? null : `loss ${loss.toFixed(2)}`;
  }
  if (accuracy === null) return null;
  const judged = result?.accuracy ?? null;
  const warning = judged !== null && isNoBetter(judged) ? ", no better than the most common label" : "";
  return `${percentOf(accuracy)} right${warning}`;
}

/** Time that an estimate may be exceeded by before the page says so. */
const LATE_MS = 10_000;

/** Time left, as far as an estimate can tell. */
export function sayTimeLeft(leftMs: number): string {
  if (leftMs < -LATE_MS) return "longer than estimated";
  return leftMs < 60_000 ? "less than a minute" : `about ${showDuration(leftMs)}`;
}
