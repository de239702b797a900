/**
 * Checks before the training of a direct model (a classifier) that the rows can make a model at all;
 * the error says what is missing. direct-training.ts calls it.
 */
import { counted } from "@openledger/foundation/counted";
import { attributionError } from "../attribution-errors.ts";
import type { ReadVectors } from "../inputs/open-inputs.ts";
import { classOf, countRows } from "./decoded-rows.ts";
import { directInputs } from "./direct/direct-inputs.ts";
import type { DirectRecipe } from "./direct/direct-recipe.ts";
import type { OwnedRow } from "./owned-rows.ts";

/** Minimum rows: two of each label. A model of one row would be its copy. */
const MIN_ROWS = 4;

/** Maximum numbers of the influence of rows × labels × columns while it is computed: 2 GiB. */
const MAX_INFLUENCE = 2 ** 28;

/**
 * @throws ATT_RECIPE_INVALID for more rows, labels and columns together than memory holds, ATT_ROW_INVALID naming the first that is no row of the kind, ATT_LABEL_INVALID naming the first without a label of
 * the recipe's, ATT_TOO_FEW_ROWS with what is missing; ATT_VECTORS_MISSING, ATT_VECTORS_INVALID
 */
export async function requireRows(
  rows: readonly Pick<OwnedRow, "content" | "label">[],
  recipe: Pick<DirectRecipe, "classes" | "columnCount" | "datanet" | "inputs" | "rules">,
  readVectors?: ReadVectors,
): Promise<void> {
  const { classes, columnCount, datanet } = recipe;
  const size = rows.length * classes.length * columnCount;
  if (size > MAX_INFLUENCE)
    throw attributionError(
      "ATT_RECIPE_INVALID",
      `${rows.length} rows × ${classes.length} labels × ${columnCount} columns are ${size} numbers, at most ${MAX_INFLUENCE} are computed: take fewer buckets, labels or rows`,
      { data: { rowCount: rows.length, labelCount: classes.length, columnCount, max: MAX_INFLUENCE } },
    );
  const { counter } = await directInputs(recipe, readVectors);
  countRows(rows, counter);
  const input = rows.map((row, index) => classOf(row, classes, index));
  const rowCount = input.length;
  const labelCounts = Object.fromEntries(
    classes.map((name, label) => [name, input.filter((one) => one === label).length]),
  );
  const present = Object.entries(labelCounts).filter(([, count]) => count > 0);
  if (rowCount >= MIN_ROWS && present.length >= 2) return;
  const counts = present.map(([name, count]) => `${count} ${name}`).join(", ");
  const absent = classes.filter((name) => labelCounts[name] === 0);
  const needed = [
    ...(rowCount < MIN_ROWS ? [counted(MIN_ROWS - rowCount, "more row")] : []),
    ...(present.length < 2 ? [`rows with another label (${absent.join(", ")})`] : []),
  ].join(", and ");
  throw attributionError(
    "ATT_TOO_FEW_ROWS",
    `version ${datanet.version} of datanet ${datanet.id} has ${counted(rowCount, "row")} (${counts}); a model needs ${needed}`,
    { data: { rowCount, leastRows: MIN_ROWS, labelCounts } },
  );
}
