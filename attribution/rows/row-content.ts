/**
 * Rows as inputs of direct models: a text as it is, a picture as its file. A row has no label in it; labels are signed records
 * beside it (accepted-labels.ts). A prompt of such a model is the text, or the picture's file in base64. Trainings, checks and
 * answers go through here.
 */
import { attributionError } from "../attribution-errors.ts";
import { type SparseRows, sparseFromDense, sparseRows } from "../maths/sparse-rows.ts";
import { hashedTerms } from "./hashed-terms.ts";
import { ImageProblem, PIXEL_COUNT, type POOLED_IMAGE_SIDE, poolPixels, readPng } from "./image-pixels.ts";
import type { RowKind } from "./row-kinds.ts";

/** Kinds of rows that a direct model reads. */
export type InputKind = Extract<RowKind, "text" | "image">;

/** A row's label as a class number, and its input: a text, or a picture's file in base64. */
export interface LabelledInput {
  readonly label: number;
  readonly input: string;
}

/** Conversion of inputs to numbers where labels are checked. */
export type InputOptions =
  | { readonly kind: "text"; readonly bucketCount: number }
  | { readonly kind: "image"; readonly side: typeof POOLED_IMAGE_SIDE };

/** Maximum size of a row that models read, in bytes: an e-mail without attachments. Guess, revisit. */
export const MAX_ROW_BYTES = 65_536;

/** Reads a row as an input. @throws ATT_ROW_INVALID where a model of the kind reads no such row */
export function inputOf(kind: InputKind, content: Uint8Array): string {
  if (content.length > MAX_ROW_BYTES) throw tooLong(kind, content.length);
  const input = kind === "text" ? textOf(content) : base64Of(content);
  checkInput(kind, input);
  return input;
}

/** Writes an input as a row's bytes. @throws ATT_ROW_INVALID */
export function contentOf(kind: InputKind, input: string): Uint8Array {
  checkInput(kind, input);
  return kind === "text" ? new TextEncoder().encode(input) : bytesOf(input);
}

/** Inputs as a model takes them, without a bias. @throws ATT_ROW_INVALID */
export function inputRows(options: InputOptions, inputs: readonly string[]): SparseRows {
  if (options.kind === "text") {
    const encoder = new TextEncoder();
    for (const input of inputs) checkInput("text", input);
    return sparseRows(
      options.bucketCount,
      inputs.map((text) => hashedTerms(encoder.encode(text), options.bucketCount)),
    );
  }
  const pixels = new Uint8Array(inputs.length * PIXEL_COUNT);
  for (const [i, input] of inputs.entries()) pixels.set(pixelsOf(input), i * PIXEL_COUNT);
  const { side } = options;
  return sparseFromDense(poolPixels(pixels, side), inputs.length, side * side);
}

/** Requires an input that a row of this kind may have. @throws ATT_ROW_INVALID */
export function checkInput(kind: InputKind, input: string): void {
  if (kind === "image") {
    pixelsOf(input);
    return;
  }
  if (input.trim() === "") throw invalidRow(kind, "its text is empty");
  const bytes = new TextEncoder().encode(input);
  if (new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) !== input)
    throw invalidRow(kind, "its text has half of a surrogate pair");
  if (bytes.length > MAX_ROW_BYTES) throw tooLong(kind, bytes.length);
}

/** Grey levels of a picture's file; null for one that no direct model reads. */
export function levelsOf(content: Uint8Array): Uint8Array | null {
  if (content.length > MAX_ROW_BYTES) return null;
  try {
    return readPng(content);
  } catch (error) {
    if (error instanceof ImageProblem) return null;
    throw error;
  }
}

/** Grey levels of a picture, from its file in base64. @throws ATT_ROW_INVALID */
export function pixelsOf(base64: string): Uint8Array {
  // Before it is decoded: four characters are three bytes.
  if (base64.length > 4 * Math.ceil(MAX_ROW_BYTES / 3))
    throw tooLong("image", Math.floor((base64.length * 3) / 4));
  if (!isBase64(base64)) throw invalidRow("image", "it is not base64 of a picture's file");
  try {
    return readPng(bytesOf(base64));
  } catch (cause) {
    if (cause instanceof ImageProblem) throw invalidRow("image", cause.message, cause);
    throw cause;
  }
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw invalidRow("text", "it is no UTF-8", cause);
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

/** Base64 of bytes, as the prompt of a picture's file has it. */
export function base64Of(content: Uint8Array): string {
  let characters = "";
  for (const byte of content) characters += String.fromCharCode(byte);
  return btoa(characters);
}

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const tooLong = (kind: InputKind, length: number) =>
  invalidRow(kind, `its ${length} bytes are more than ${MAX_ROW_BYTES}`);

function invalidRow(kind: InputKind, why: string, cause?: unknown) {
  return attributionError("ATT_ROW_INVALID", `not a row of kind ${kind}: ${why}`, {
    data: { kind, why },
    cause,
  });
}
