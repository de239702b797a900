/**
 * Checks before the training of a direct model (logistic, of e-mails or digits) that the rows can make a model at all;
 * the error says what is missing. direct-training.ts calls it.
 */
import { attributionError } from "../attribution-errors.ts";
import { atRow } from "../rows/labelled-rows.ts";
import { decodeRow, labelsOf, type RowKind } from "../rows/row-content.ts";
import type { RecipeBase } from "./recipe-fields.ts";

/** Minimum rows: two of each label. A model of one row would be its copy. */
const MIN_ROWS = 4;

/** @throws ATT_ROW_INVALID naming the first that is no row of the kind, ATT_TOO_FEW_ROWS with what is missing */
export function requireRows(
  contents: readonly Uint8Array[],
  kind: RowKind,
  { datanet }: Pick<RecipeBase, "datanet">,
): void {
  const given = contents.map((content, index) => atRow(index, () => decodeRow(kind, content).label));
  const rowCount = given.length;
  const labelCounts = Object.fromEntries(
    labelsOf(kind).map((name, label) => [name, given.filter((one) => one === label).length]),
  );
  const present = Object.entries(labelCounts).filter(([, count]) => count > 0);
  if (rowCount >= MIN_ROWS && present.length >= 2) return;
  const counts = present.map(([name, count]) => `${count} ${name}`).join(", ");
  const absent = Object.keys(labelCounts).filter((name) => labelCounts[name] === 0);
  const needed = [
    ...(rowCount < MIN_ROWS ? [`${MIN_ROWS - rowCount} more rows`] : []),
    ...(present.length < 2 ? [`rows with another label (${absent.join(", ")})`] : []),
  ].join(", and ");
  throw attributionError(
    "ATT_TOO_FEW_ROWS",
    `version ${datanet.version} of datanet ${datanet.id} has ${rowCount} rows (${counts}); a model needs ${needed}`,
    { data: { rowCount, leastRows: MIN_ROWS, labelCounts } },
  );
}
