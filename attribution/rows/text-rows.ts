/**
 * Rows without labels, as bytes of canonical JSON: texts, or prompts with their answers. Language models are
 * trained on them.
 */
import { attributionError } from "../attribution-errors.ts";
import { MAX_ROW_BYTES } from "./row-content.ts";

/**
 * One line of canonical JSON, as `JSON.stringify` writes it (docs/reference/attribution.md):
 *
 *   {"text":"…"}
 *   {"prompt":"…","answer":"…"}
 */
export type TextRow = { readonly text: string } | { readonly prompt: string; readonly answer: string };

/** @throws ATT_ROW_INVALID */
export function encodeTextRow(row: TextRow): Uint8Array {
  // A text that is null is not there: some exports name every column in every row.
  const { answer, prompt, text = null } = row as Partial<Record<"text" | "prompt" | "answer", string | null>>;
  const hasTurn = [prompt, answer].some((part) => (part ?? "") !== "");
  if (text !== null && hasTurn)
    throw invalidRow("it has a text beside a prompt or an answer: leave one of them out");
  const parts = text === null && "prompt" in row ? { prompt: row.prompt, answer: row.answer } : { text };
  for (const [field, text] of Object.entries(parts)) {
    if (typeof text !== "string" || text.trim() === "") throw invalidRow(`its ${field} is empty`);
    if (hasHalfPair(text)) throw invalidRow(`its ${field} has half of a surrogate pair`);
  }
  const content = new TextEncoder().encode(JSON.stringify(parts));
  if (content.length > MAX_ROW_BYTES)
    throw invalidRow(`${content.length} bytes are more than ${MAX_ROW_BYTES}`);
  return content;
}

/** @throws ATT_ROW_INVALID where the content is not exactly what `encodeTextRow` writes */
export function decodeTextRow(content: Uint8Array): TextRow {
  const value = parse(content);
  const isPlain = typeof value?.text === "string";
  if (!isPlain && (typeof value?.prompt !== "string" || typeof value.answer !== "string"))
    throw invalidRow("it has neither a text nor a prompt and an answer");
  const row = (isPlain ? { text: value.text } : { prompt: value!.prompt, answer: value!.answer }) as TextRow;
  const again = encodeTextRow(row);
  if (again.length !== content.length || again.some((byte, i) => byte !== content[i]))
    throw invalidRow("it is not written canonically (docs/reference/attribution.md)");
  return row;
}

/** Returns true for the content of a text row, going by its fields alone. */
export function isTextRow(content: Uint8Array): boolean {
  const head = new TextDecoder().decode(content.subarray(0, 12));
  return head.startsWith('{"text":') || head.startsWith('{"prompt":');
}

/** Whole text of a row: near-duplicates are found by it, and people read it. */
export function wholeText(row: TextRow): string {
  return "text" in row ? row.text : `${row.prompt}\n${row.answer}`;
}

function parse(content: Uint8Array): Record<string, unknown> | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    return JSON.parse(text) as Record<string, unknown> | null;
  } catch (cause) {
    throw invalidRow("it is not JSON in UTF-8", cause);
  }
}

function hasHalfPair(text: string): boolean {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text)) !== text;
}

function invalidRow(why: string, cause?: unknown) {
  return attributionError("ATT_ROW_INVALID", `not a row of texts: ${why}`, {
    data: { kind: "text", why },
    cause,
  });
}
