/**
 * Rows of a version as numbers for a direct model (a classifier) and as bytes: the first step of direct-training.ts.
 */
import { attributionError } from "../attribution-errors.ts";
import type { InputKind } from "../inputs/input-counter.ts";
import { IMAGE_SIDE } from "../rows/image-pixels.ts";
import { atRow, refuseDuplicates } from "../rows/labelled-rows.ts";
import type { ComparableRows } from "../rows/near-duplicates.ts";
import { pixelsOf } from "../rows/row-content.ts";
import type { DirectInputs } from "./direct/direct-inputs.ts";
import type { Examples } from "./model.ts";
import type { OwnedRow } from "./owned-rows.ts";

/** Rows as the model takes them, as prompts, and as bytes to compare: text as UTF-8, or grey levels. */
export interface DecodedRows extends Examples {
  readonly prompts: readonly string[];
  readonly contents: readonly Uint8Array[];
}

/** @throws ATT_ROW_INVALID and ATT_LABEL_INVALID naming the first row that is none, ATT_DUPLICATE_ROW */
export function decodeRows(
  rows: readonly OwnedRow[],
  { classes }: { readonly classes: readonly string[] },
  { counter, examples }: Pick<DirectInputs, "counter" | "examples">,
): DecodedRows {
  const labels = Int32Array.from(rows, (row, index) => classOf(row, classes, index));
  const prompts = rows.map(({ content }, index) => atRow(index, () => counter.promptOf(content)));
  refuseDuplicates(rows.map(({ content }) => content));
  return {
    inputs: examples(prompts),
    labels,
    prompts,
    contents: counter.kind === "image" ? prompts.map(pixelsOf) : rows.map(({ content }) => content),
  };
}

/** Rows as near-duplicates are found among them. */
export function comparable(
  { contents, labels }: Pick<DecodedRows, "contents" | "labels">,
  { kind }: { readonly kind: InputKind },
): ComparableRows {
  return kind === "image"
    ? { contents, labels, kind, width: IMAGE_SIDE, height: IMAGE_SIDE }
    : { contents, labels, kind: "text" };
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
    `row ${index + 1} ${why}; the recipe's classes are ${classes.join(", ")}`,
    {
      data: { index, label, classes },
    },
  );
}
