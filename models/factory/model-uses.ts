/**
 * Models that a data set's rows can become, and why not: the form offers these, and a job that could never begin is refused by
 * them.
 */

import { useOfKind } from "@openledger/attribution/rows/row-kinds";
import { counted } from "@openledger/foundation/counted";
import { factoryError } from "../model-errors.ts";
import { sorterOfKind } from "../tuning/recipe/plan-model.ts";
import type { FactoryDataset, FactoryUse } from "./factory-api.ts";

type UseView = FactoryDataset["uses"][number];
type Rows = Pick<FactoryDataset, "labels" | "rowCount" | "rowKind">;

/** Minimum rows of a model: with fewer it would be their copy. */
const MIN_ROWS = 4;

interface Refusal {
  readonly whyNot: string;
  readonly remedy: string;
}

/** Uses of rows of a kind, the usual one first. */
export function usesOf(rows: Rows): UseView[] {
  const use = useOfKind(rows.rowKind);
  const refusal = rowsRefusal(rows) ?? (use === "write" ? null : sortingRefusal(rows));
  return [{ use, whyNot: refusal?.whyNot ?? null, remedy: refusal?.remedy ?? null }];
}

/** @throws MOD_FACTORY_NOT_TRAINABLE */
export function requireUse(rows: Rows, use: FactoryUse): void {
  const offered = usesOf(rows);
  const found = offered.find((one) => one.use === use);
  if (found?.whyNot === null) return;
  const whyNot = found?.whyNot ?? `rows of kind ${rows.rowKind} are not there to ${use}`;
  const remedy = found?.remedy ?? `choose rows to ${use}, or a model to ${offered[0]!.use}`;
  throw factoryError("MOD_FACTORY_NOT_TRAINABLE", `${whyNot}: ${remedy}`, { data: { use, whyNot, remedy } });
}

function rowsRefusal({ rowCount }: Rows): Refusal | null {
  if (rowCount >= MIN_ROWS) return null;
  return {
    whyNot: `the version has ${counted(rowCount, "row")}, and a model needs ${MIN_ROWS}`,
    remedy: "contribute more rows, and publish a version with them",
  };
}

function sortingRefusal({ labels, rowCount, rowKind }: Rows): Refusal | null {
  if (sorterOfKind(rowKind) === undefined)
    return { whyNot: `no recipe sorts rows of kind ${rowKind}`, remedy: "choose rows of another kind" };
  if (labels === null || labels.length < 2)
    return {
      whyNot: "the Datanet's card names fewer than two labels",
      remedy: "edit the card, label the rows, and publish a version",
    };
  const missing = rowCount - labels.reduce((sum, label) => sum + label.rowCount, 0);
  if (missing > 0)
    return {
      whyNot: `${missing} of ${rowCount} rows have no accepted label`,
      remedy: "label them, or leave them out, and publish a version",
    };
  const present = labels.filter((label) => label.rowCount > 0);
  if (present.length >= 2) return null;
  const absent = labels.filter((label) => label.rowCount === 0).map(({ name }) => name);
  return {
    whyNot: `all rows have the label ${present[0]!.name}`,
    remedy: `contribute rows with another label (${absent.join(", ")}), and publish a version`,
  };
}
