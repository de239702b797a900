/**
 * Lines of a published model's rows (docs/reference/attribution.md): a row's bytes, as text or in base64, with its accepted label
 * where the recipe names labels. model-files.ts writes and reads all, an answer server reads single ones.
 */
import { z } from "zod";
import { maxRowBytes } from "../rows/row-content.ts";
import type { RowKind } from "../rows/row-kinds.ts";
import type { OwnedRow } from "./owned-rows.ts";

/** A row as a line of the file has it. */
export type PublishedLine = Pick<OwnedRow, "content" | "label">;

/** Maximum bytes of a line of a kind of rows: base64 of the largest row, the longest label in escapes, and names. */
export const maxLineBytes = (kind: RowKind): number => 4 * Math.ceil(maxRowBytes(kind) / 3) + 1_024;

const label = z.string().nullable().optional();
const lineSchema = z.union([
  z.strictObject({ text: z.string(), label }),
  z.strictObject({ base64: z.base64(), label }),
]);

/** Writes a row as one line without its end: text where that is the shorter one, which it is of nearly all texts. */
export function encodeLine({ content, label }: PublishedLine): Uint8Array {
  const labelled = label === undefined ? {} : { label };
  const base64 = JSON.stringify({ base64: Buffer.from(content).toString("base64"), ...labelled });
  const text = textOf(content);
  const line = text === null ? base64 : JSON.stringify({ text, ...labelled });
  const [bytes, inBase64] = [Buffer.from(line, "utf8"), Buffer.from(base64, "utf8")];
  return bytes.length <= inBase64.length ? bytes : inBase64;
}

/** Reads a line; null if it is none. The caller compares its content and label with the roots. */
export function decodeLine(line: Uint8Array): PublishedLine | null {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return null;
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) return null;
  const row = parsed.data;
  // Buffer is not in browsers, and Uint8Array.fromBase64 is not in Node 20.
  const content =
    "text" in row
      ? new TextEncoder().encode(row.text)
      : Uint8Array.from(atob(row.base64), (character) => character.charCodeAt(0));
  return { content, ...(row.label === undefined ? {} : { label: row.label }) };
}

/** A content as text; null if it is none, or would come back as other bytes. */
function textOf(content: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}
