/**
 * Rows of a version as numbers for a direct model (logistic, of texts or pictures) and as bytes: the first step of
 * direct-training.ts.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import type { SparseRows } from "../maths/sparse-rows.ts";
import { atRow, refuseDuplicates } from "../rows/labelled-rows.ts";
import { inputOf, pixelsOf } from "../rows/row-content.ts";
import type { InputKind } from "../rows/row-kinds.ts";
import type { Examples } from "./model.ts";
import type { OwnedRow } from "./owned-rows.ts";

/** Rows as the model takes them, as prompts, and as bytes to compare: text as UTF-8, or grey levels. */
export interface DecodedRows extends Examples {
  readonly prompts: readonly string[];
  readonly contents: readonly Uint8Array[];
}

/** Fields of a recipe that say how a row is read. */
interface RowRecipe {
  readonly inputs: { readonly kind: InputKind };
  readonly classes: readonly string[];
}

/** @throws ATT_ROW_INVALID and ATT_LABEL_INVALID naming the first row that is none, ATT_DUPLICATE_ROW */
export function decodeRows(
  rows: readonly OwnedRow[],
  { classes, inputs: { kind } }: RowRecipe,
  toInputs: (inputs: readonly string[]) => SparseRows,
): DecodedRows {
  const labels = Int32Array.from(rows, (row, index) => classOf(row, classes, index));
  const prompts = rows.map(({ content }, index) => atRow(index, () => inputOf(kind, content)));
  refuseDuplicates(rows.map(({ content }) => content));
  return {
    inputs: toInputs(prompts),
    labels,
    prompts,
    contents: kind === "text" ? rows.map(({ content }) => content) : prompts.map(pixelsOf),
  };
}

/** Class number of a row's accepted label. @throws ATT_LABEL_INVALID */
export function classOf(
  { label = null }: Pick<OwnedRow, "label">,
  classes: readonly string[],
  index: number,
): number {
  const place = label === null ? -1 : classes.indexOf(label);
  if (place >= 0) return place;
  const why = label === null ? "has no accepted label" : `has the label ${JSON.stringify(label)}`;
  throw attributionError(
    "ATT_LABEL_INVALID",
    `row ${rowNumber(index)} ${why}; the recipe's classes are ${classes.join(", ")}`,
    {
      data: { index, label, classes },
    },
  );
}
