/**
 * Labelled rows of a datanet, encoded and decoded: one line of canonical JSON, UTF-8, a label and an input
 * (docs/reference/attribution.md). The contributor gives the label; the validator who signs the row off has
 * read both. Canonical = as `JSON.stringify` writes it, so that a row has one spelling and a copy is found by
 * its hash. Contributors' files, trainings and checks go through it.
 *
 *   email  {"label":"spam" | "ham","text":"subject\nbody"}
 *   digit  {"label":"0" … "9","pixels":base64 of 28 × 28 bytes, row after row, 0 = background}
 */
import { attributionError } from "../attribution-errors.ts";
import { type SparseRows, sparseFromDense, sparseRows } from "../maths/sparse-rows.ts";
import { PIXEL_COUNT, type POOLED_DIGIT_SIDE, poolDigits } from "./digit-pixels.ts";
import { hashedTerms } from "./hashed-terms.ts";

/** Kinds of rows with labels; texts without labels are in text-rows.ts. */
const ROW_KINDS = ["email", "digit"] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** A row's label as a class number, and its input as text: an e-mail's text, a digit's pixels in base64. */
export interface LabelledInput {
  readonly label: number;
  readonly input: string;
}

/** Conversion of inputs to numbers: part of a recipe. */
export type InputOptions =
  | { readonly kind: "email"; readonly bucketCount: number }
  | { readonly kind: "digit"; readonly side: typeof POOLED_DIGIT_SIDE };

/** The largest row, in bytes of its JSON: an e-mail without attachments. Guess, revisit. */
export const MAX_ROW_BYTES = 65_536;

const LABELS: Readonly<Record<RowKind, readonly string[]>> = {
  email: ["ham", "spam"],
  digit: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};
const INPUT_FIELD: Readonly<Record<RowKind, string>> = { email: "text", digit: "pixels" };

/** Names of a kind's labels; a class number is a place in it. */
export function labelsOf(kind: RowKind): readonly string[] {
  return LABELS[kind];
}

/** Writes a row as canonical JSON in UTF-8. @throws ATT_ROW_INVALID */
export function encodeRow(kind: RowKind, { label, input }: LabelledInput): Uint8Array {
  const name = LABELS[kind][label];
  if (name === undefined) throw invalidRow(kind, `there is no label ${label}`);
  checkInput(kind, input);
  const content = new TextEncoder().encode(JSON.stringify({ label: name, [INPUT_FIELD[kind]]: input }));
  if (content.length > MAX_ROW_BYTES) {
    throw invalidRow(kind, `${content.length} bytes are more than ${MAX_ROW_BYTES}`);
  }
  return content;
}

/** Reads a row. @throws ATT_ROW_INVALID where the content is not exactly what `encodeRow` writes */
export function decodeRow(kind: RowKind, content: Uint8Array): LabelledInput {
  let text: string;
  let row: Record<string, unknown>;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    row = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw invalidRow(kind, "it is not JSON in UTF-8", cause);
  }
  const label = LABELS[kind].indexOf(String(row?.label));
  const input = row?.[INPUT_FIELD[kind]];
  if (label < 0 || typeof input !== "string") {
    throw invalidRow(kind, `it has no label of ${LABELS[kind].join(", ")}, or no ${INPUT_FIELD[kind]}`);
  }
  const again = encodeRow(kind, { label, input });
  if (again.length !== content.length || again.some((byte, i) => byte !== content[i])) {
    throw invalidRow(kind, "it is not written canonically (docs/reference/attribution.md)");
  }
  return { label, input };
}

/** Inputs as a model takes them, without a bias. @throws ATT_ROW_INVALID */
export function inputRows(options: InputOptions, inputs: readonly string[]): SparseRows {
  for (const input of inputs) checkInput(options.kind, input);
  if (options.kind === "email") {
    const encoder = new TextEncoder();
    return sparseRows(
      options.bucketCount,
      inputs.map((text) => hashedTerms(encoder.encode(text), options.bucketCount)),
    );
  }
  const pixels = new Uint8Array(inputs.length * PIXEL_COUNT);
  for (const [i, input] of inputs.entries()) pixels.set(pixelsOf(input), i * PIXEL_COUNT);
  const { side } = options;
  return sparseFromDense(poolDigits(pixels, side), inputs.length, side * side);
}

/** Requires an input that a row of this kind may have. @throws ATT_ROW_INVALID */
export function checkInput(kind: RowKind, input: string): void {
  if (kind === "email") {
    if (input.trim() === "") throw invalidRow(kind, "its text is empty");
    const bytes = new TextEncoder().encode(input);
    if (new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) !== input) {
      throw invalidRow(kind, "its text has half of a surrogate pair");
    }
    if (bytes.length > MAX_ROW_BYTES) throw invalidRow(kind, `its text has ${bytes.length} bytes`);
    return;
  }
  if (!isBase64(input) || pixelsOf(input).length !== PIXEL_COUNT) {
    throw invalidRow(kind, `its pixels are not base64 of ${PIXEL_COUNT} bytes`);
  }
}

/** Returns true for the one spelling that encoding gives. */
function isBase64(text: string): boolean {
  try {
    return btoa(atob(text)) === text;
  } catch {
    return false;
  }
}

/** Bytes of an input that `checkInput` accepted. */
export const pixelsOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function invalidRow(kind: RowKind, why: string, cause?: unknown) {
  return attributionError("ATT_ROW_INVALID", `not a row of kind ${kind}: ${why}`, {
    data: { kind, why },
    cause,
  });
}
