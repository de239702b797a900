/**
 * Rows as prompts of models and back: a text as it is, a picture's file in base64, a table's row as its canonical JSON. A row has no label
 * in it; labels are signed records beside it (accepted-labels.ts). inputs/open-inputs.ts makes counts of prompts.
 */
import { isWellFormed, textOfBytes } from "@openledger/foundation/utf8";
import { attributionError } from "../attribution-errors.ts";
import { MAX_PICTURE_BYTES } from "../pictures/picture-limits.ts";
import type { RowKind } from "./row-kinds.ts";
import { contentOfRow } from "./salted-rows.ts";

/** A row's label as a class number, and its input as a prompt. */
export interface LabelledInput {
  readonly label: number;
  readonly input: string;
}

/** Maximum size of a text or a table's row that models read, in bytes: an e-mail without attachments. Guess, revisit. */
export const MAX_ROW_BYTES = 65_536;

/** Maximum size of a row that models read, in bytes. */
export const maxRowBytes = (kind: RowKind): number => (kind === "image" ? MAX_PICTURE_BYTES : MAX_ROW_BYTES);

/** Maximum characters of a prompt: four stand for three bytes of a picture. */
export const maxPromptChars = (kind: RowKind): number =>
  kind === "image" ? 4 * Math.ceil(MAX_PICTURE_BYTES / 3) : MAX_ROW_BYTES;

/** Reads a row as a prompt. Whether a picture's file can be decoded shows where it is counted. @throws ATT_ROW_INVALID */
export function inputOf(kind: RowKind, row: Uint8Array): string {
  const content = contentOfRow(row);
  requireSize(kind, content.length);
  if (kind === "image") return base64Of(content);
  let text: string;
  try {
    text = textOfBytes(content);
  } catch (cause) {
    throw invalidRow(kind, "it is no UTF-8", cause);
  }
  requireText(kind, text);
  return text;
}

/** Writes a prompt as a row's bytes. @throws ATT_ROW_INVALID */
export function contentOf(kind: RowKind, input: string): Uint8Array {
  if (kind === "image") return bytesOf(input);
  requireText(kind, input);
  if (!isWellFormed(input)) throw invalidRow(kind, "its text has half of a surrogate pair");
  const bytes = new TextEncoder().encode(input);
  requireSize(kind, bytes.length);
  return bytes;
}

/** File of a picture in base64. @throws ATT_ROW_INVALID */
function bytesOf(base64: string): Uint8Array {
  // Before it is decoded.
  if (base64.length > maxPromptChars("image")) requireSize("image", Math.floor((base64.length * 3) / 4));
  if (!isBase64(base64)) throw invalidRow("image", "it is not base64 of a picture's file");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** @throws ATT_ROW_INVALID */
function requireSize(kind: RowKind, length: number): void {
  const max = maxRowBytes(kind);
  if (length > max) throw invalidRow(kind, `its ${length} bytes are more than ${max}`);
}

function requireText(kind: RowKind, text: string): void {
  if (text.trim() === "") throw invalidRow(kind, "its text is empty");
}

/** Returns true for the one spelling that encoding gives. */
function isBase64(text: string): boolean {
  try {
    return btoa(atob(text)) === text;
  } catch {
    return false;
  }
}

/** Characters that are appended at once: a call has no room for a million arguments. */
const PIECE = 8_192;

/** Base64 of bytes, as the prompt of a picture's file has it. */
export function base64Of(content: Uint8Array): string {
  let characters = "";
  for (let at = 0; at < content.length; at += PIECE)
    characters += String.fromCharCode(...content.subarray(at, at + PIECE));
  return btoa(characters);
}

export function invalidRow(kind: RowKind, why: string, cause?: unknown) {
  return attributionError("ATT_ROW_INVALID", `not a row of kind ${kind}: ${why}`, {
    data: { kind, why },
    cause,
  });
}
