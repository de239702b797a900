/** Words for the models that rows can train: a classifier, a predictor of a column, or a language model. */
import { type RowKind, useOfKind } from "@openledger/attribution/rows/row-kinds";
import type { FactoryUse } from "@openledger/models/factory/factory-api";

/** Labels that a sentence names. */
const MAX_NAMED = 4;

export const USE_TITLES: Readonly<Record<FactoryUse, string>> = {
  sort: "Classifier",
  predict: "Predictor of a column",
  write: "Language model",
};

/** "Trains a classifier of ham, spam." */
export function becomes(rowKind: RowKind, labels: readonly string[]): string {
  const use = useOfKind(rowKind);
  if (use === "write") return "Trains a language model.";
  const named = labels.slice(0, MAX_NAMED).join(", ");
  const more = labels.length > MAX_NAMED ? ` and ${labels.length - MAX_NAMED} more` : "";
  const what = use === "sort" ? "classifier" : "predictor";
  return labels.length === 0
    ? `Trains a ${what} once the card names labels.`
    : `Trains a ${what} of ${named}${more}.`;
}
