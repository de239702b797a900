/**
 * Rows of which the worlds of attack-factor.ts are made: labelled texts, or any inputs with parts that an attack can
 * replace.
 */

import { contentOf, inputOf, type LabelledInput } from "../../rows/row-content.ts";
import type { InputKind } from "../../rows/row-kinds.ts";
import { decodeTableRow, encodeTableRow, type FieldValue, type TableField } from "../../rows/table-rows.ts";
import { EMAIL_LABELS, emailContents } from "../sample-emails.ts";

export interface AttackSource {
  readonly kind: InputKind;
  /** Fields of a table; none of other kinds. */
  readonly fields: readonly TableField[];
  /** Names of the rows' labels. */
  readonly classes: readonly string[];
  readonly rows: readonly LabelledInput[];
  /**
   * Parts of an input, which an attack replaces by others': a text's words, a picture's pixels, a table's values. A table's are replaced by
   * those of the same field.
   */
  partsOf(input: string): readonly string[];
  /** The input of these parts. */
  joined(parts: readonly string[]): string;
  /** Bytes of the rows that inputs are. */
  contentsOf(inputs: readonly string[]): Promise<readonly Uint8Array[]>;
}

/** Longest e-mail that is used, in bytes: words beyond are neither read nor replaced. */
const MAX_BYTES = 4_096;

/** Labelled texts, whose parts are words. */
export function textSource(classes: readonly string[], rows: readonly LabelledInput[]): AttackSource {
  const encoder = new TextEncoder();
  return {
    kind: "text",
    fields: [],
    classes,
    rows,
    partsOf: (text) => text.split(/\s+/).filter((word) => word !== ""),
    joined: (words) => words.join(" "),
    contentsOf: async (texts) => texts.map((text) => encoder.encode(text)),
  };
}

/** Rows of a table, whose parts are the fields' values. @param rows with canonical JSON as input */
export function tableSource(
  classes: readonly string[],
  fields: readonly TableField[],
  rows: readonly LabelledInput[],
): AttackSource {
  return {
    kind: "table",
    fields,
    classes,
    rows,
    partsOf: (input) =>
      decodeTableRow(fields, contentOf("table", input)).map((value) => JSON.stringify(value)),
    joined: (values) =>
      inputOf(
        "table",
        encodeTableRow(
          fields,
          values.map((value): FieldValue => JSON.parse(value)),
        ),
      ),
    contentsOf: async (inputs) => inputs.map((input) => contentOf("table", input)),
  };
}

/** The packaged e-mails. */
export const emailSource = (): AttackSource =>
  textSource(
    EMAIL_LABELS,
    emailContents()
      .filter((content) => content.length <= MAX_BYTES)
      .map((content) => ({
        input: new TextDecoder().decode(content.subarray(0, -1)),
        label: content.at(-1)!,
      }))
      .filter(({ input }) => input.trim() !== ""),
  );
