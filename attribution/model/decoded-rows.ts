/**
 * Rows of a version as numbers for a direct model (a classifier): the first step of direct-training.ts.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import { countedRows } from "../inputs/counted-rows.ts";
import type { InputCounter } from "../inputs/input-counter.ts";
import { atRow, refuseDuplicates } from "../rows/labelled-rows.ts";
import { contentOfRow } from "../rows/salted-rows.ts";
import { measureTerms } from "../rows/term-parts.ts";
import type { DirectInputs } from "./direct/direct-inputs.ts";
import type { DirectRecipe } from "./direct/direct-recipe.ts";
import type { Examples } from "./model.ts";
import type { OwnedRow } from "./owned-rows.ts";

/** Rows as the model takes them, and as counts. */
export interface DecodedRows extends Examples {
  readonly counts: readonly Uint8Array[];
}

/** @throws ATT_ROW_INVALID and ATT_LABEL_INVALID naming the first row that is none, ATT_DUPLICATE_ROW */
export function decodeRows(
  rows: readonly OwnedRow[],
  { classes, model }: Pick<DirectRecipe, "classes" | "model">,
  { counter }: Pick<DirectInputs, "counter">,
): DecodedRows {
  const labels = Int32Array.from(rows, (row, index) => classOf(row, classes, index));
  const counts = countRows(rows, counter);
  refuseDuplicates(rows.map(({ content }) => content));
  const contents = rows.map(({ content }) => contentOfRow(content));
  return { inputs: countedRows(counter, counts), labels, counts, weights: lossWeights({ model }, contents) };
}

/** Weight of each row's loss beside its label's, of mean 1; undefined where a recipe weighs all rows alike. @param contents without salts */
export function lossWeights(
  { model: { rowWeights } }: Pick<DirectRecipe, "model">,
  contents: readonly Uint8Array[],
): Float64Array | undefined {
  if (rowWeights === undefined) return undefined;
  const { parts, weightOf } = measureTerms(contents);
  return parts.map(weightOf);
}

/** Counts of rows. @throws ATT_ROW_INVALID naming the first row that is none of the kind */
export const countRows = (rows: readonly Pick<OwnedRow, "content">[], counter: InputCounter): Uint8Array[] =>
  rows.map(({ content }, index) => atRow(index, () => counter.countsOf(counter.promptOf(content))));

/** Class number of a row's accepted label. @throws ATT_LABEL_INVALID */
export function classOf(
  { label = null }: Pick<OwnedRow, "label">,
  classes: readonly string[],
  index: number,
): number {
  const position = label === null ? -1 : classes.indexOf(label);
  if (position >= 0) return position;
  const why = label === null ? "has no accepted label" : `has the label ${JSON.stringify(label)}`;
  throw attributionError(
    "ATT_LABEL_INVALID",
    `row ${rowNumber(index)} ${why}; the recipe's classes are ${classes.join(", ")}`,
    {
      data: { index, label, classes },
    },
  );
}
