/** Whether rows and recipe can make a model at all, before anything is trained: what is wrong, and what to change. */
import { attributionError } from "../attribution-errors.ts";
import { MAX_FEATURE_COUNT } from "../features/quantise.ts";
import { usedColumns } from "../maths/sparse-rows.ts";
import { decodeRow, type InputOptions, inputRows, labelsOf } from "../rows/row-content.ts";
import type { Recipe } from "./recipe.ts";
import type { RecipeBase } from "./recipe-fields.ts";

/** With fewer rows the eigenvectors of their gradients are not determined. */
const LEAST_ROWS = 4;

/** What a choice of sizes depends on. */
export interface RowFacts {
  readonly rowCount: number;
  /** Rows of each label, by its name; labels without rows, too. */
  readonly labelCounts: Readonly<Record<string, number>>;
  /** Numbers that a logistic model learns from these rows: no more features than these can be told apart. */
  readonly coordinateCount: number;
}

/** @throws ATT_ROW_INVALID naming the first that is no row of the kind */
export function rowFacts(contents: readonly Uint8Array[], inputs: InputOptions): RowFacts {
  const rows = contents.map((content, index) => {
    try {
      return decodeRow(inputs.kind, content);
    } catch (cause) {
      throw attributionError("ATT_ROW_INVALID", `row ${index} is ${(cause as Error).message}`, {
        data: { index },
        cause,
      });
    }
  });
  const labels = labelsOf(inputs.kind);
  const used = usedColumns(
    inputRows(
      inputs,
      rows.map(({ input }) => input),
    ),
  );
  return {
    rowCount: rows.length,
    labelCounts: Object.fromEntries(
      labels.map((name, label) => [name, rows.filter((row) => row.label === label).length]),
    ),
    // One for the bias; adding the same to all logits changes nothing.
    coordinateCount: (labels.length - 1) * (used.count + 1),
  };
}

/** @throws ATT_TOO_FEW_ROWS with what is missing */
export function requireRows(
  { labelCounts, rowCount }: RowFacts,
  { datanet }: Pick<RecipeBase, "datanet">,
): void {
  const present = Object.entries(labelCounts).filter(([, count]) => count > 0);
  if (rowCount < LEAST_ROWS || present.length < 2) {
    const counts = present.map(([name, count]) => `${count} ${name}`).join(", ");
    const absent = Object.keys(labelCounts).filter((name) => labelCounts[name] === 0);
    const needed = [
      ...(rowCount < LEAST_ROWS ? [`${LEAST_ROWS - rowCount} more rows`] : []),
      ...(present.length < 2 ? [`rows with another label (${absent.join(", ")})`] : []),
    ].join(", and ");
    throw attributionError(
      "ATT_TOO_FEW_ROWS",
      `version ${datanet.version} of datanet ${datanet.id} has ${rowCount} rows (${counts}); a model needs ${needed}`,
      { data: { rowCount, leastRows: LEAST_ROWS, labelCounts } },
    );
  }
}

/**
 * @throws ATT_TOO_FEW_ROWS with what is missing; ATT_RECIPE_INVALID where a logistic model cannot have so many features,
 *   with the largest number that it can
 */
export function requireTrainable(facts: RowFacts, { datanet, method, model }: Recipe): void {
  const { coordinateCount, rowCount } = facts;
  requireRows(facts, { datanet });
  if (model.kind !== "logistic" || method.featureCount <= coordinateCount) return;
  const most = powerOfTwoUpTo(coordinateCount);
  throw attributionError(
    "ATT_RECIPE_INVALID",
    `method.featureCount is ${method.featureCount}, but a model of these ${rowCount} rows learns ${coordinateCount} numbers: set it to ${most} or less in the recipe, or name a preset (--recipe emails, digits), which chooses it`,
    { data: { featureCount: method.featureCount, coordinateCount, mostFeatureCount: most } },
  );
}

/** Features that so many rows can be told apart by: their gradients span no more directions than there are rows. */
export function featureCountFor({ coordinateCount, rowCount }: RowFacts, mostCount: number): number {
  let wanted = 4;
  while (wanted < rowCount) wanted *= 2;
  return Math.min(wanted, powerOfTwoUpTo(Math.min(mostCount, coordinateCount, MAX_FEATURE_COUNT)));
}

/** The largest power of two that is not above; 1 at least. */
function powerOfTwoUpTo(value: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, value)));
}
