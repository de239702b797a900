/**
 * Rows of a version as numbers for a direct model (logistic, of e-mails or digits) and as bytes: the first step of
 * direct-training.ts.
 */
import type { SparseRows } from "../maths/sparse-rows.ts";
import { atRow, refuseDuplicates } from "../rows/labelled-rows.ts";
import { decodeRow, type RowKind } from "../rows/row-content.ts";
import type { Examples } from "./model.ts";
import type { OwnedRow } from "./owned-rows.ts";

/** Rows as the model takes them, and their inputs as bytes: text as UTF-8, or pixels. */
export interface DecodedRows extends Examples {
  readonly contents: readonly Uint8Array[];
}

/** @throws ATT_ROW_INVALID naming the first row that is none, ATT_DUPLICATE_ROW */
export function decodeRows(
  rows: readonly OwnedRow[],
  kind: RowKind,
  toInputs: (inputs: readonly string[]) => SparseRows,
): DecodedRows {
  const decoded = rows.map(({ content }, index) => atRow(index, () => decodeRow(kind, content)));
  refuseDuplicates(rows.map(({ content }) => content));
  return {
    inputs: toInputs(decoded.map(({ input }) => input)),
    labels: Int32Array.from(decoded, ({ label }) => label),
    contents: decoded.map(({ input }) => Buffer.from(input, kind === "email" ? "utf8" : "base64")),
  };
}
