/** Words for what rows can become: a model that sorts, that predicts a column, or that writes. */
import { type RowKind, useOfKind } from "@openledger/attribution/rows/row-kinds";
import type { FactoryUse } from "@openledger/models/factory/factory-api";

/** Labels that a sentence names. */
const MAX_NAMED = 4;

export const USE_TITLES: Readonly<Record<FactoryUse, string>> = {
  sort: "A model that sorts",
  predict: "A model that predicts a column",
  write: "A model that writes",
};

/** "Becomes a model that sorts: ham or spam." */
export function becomes(rowKind: RowKind, labels: readonly string[]): string {
  const use = useOfKind(rowKind);
  if (use === "write") return "Becomes a model that writes and answers.";
  const named = labels.slice(0, MAX_NAMED).join(", ");
  const more = labels.length > MAX_NAMED ? ` and ${labels.length - MAX_NAMED} more` : "";
  const what = use === "sort" ? "sorts" : "predicts";
  return labels.length === 0
    ? `Becomes a model that ${what}, once its card names labels.`
    : `Becomes a model that ${what}: ${named}${more}.`;
}
