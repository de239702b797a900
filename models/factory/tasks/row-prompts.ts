/**
 * Makes a prompt and its expected continuation from a row that a model was not trained on, for comparisons and sample answers
 * of a job.
 */
import type { TextRow } from "@openledger/attribution/rows/text-rows";

/** Maximum characters of a prompt that is the beginning of a plain text; it is cut behind a word. */
const MAX_PROMPT_CHARACTERS = 80;
const MAX_EXCERPT_CHARACTERS = 160;

export interface RowPrompt {
  readonly prompt: string;
  readonly expected: string;
}

/** A question and its answer, or the beginning of a text and the rest; null for a text of one word. */
export function promptOfRow(row: TextRow): RowPrompt | null {
  if (!("text" in row)) return { prompt: row.prompt, expected: row.answer };
  const max = Math.min(MAX_PROMPT_CHARACTERS, Math.ceil(row.text.length / 2));
  const end = row.text.lastIndexOf(" ", max);
  if (end <= 0) return null;
  return { prompt: row.text.slice(0, end), expected: row.text.slice(end) };
}

export function excerptOfRow(row: TextRow): string {
  const text = "text" in row ? row.text : `${row.prompt} → ${row.answer}`;
  return text.length <= MAX_EXCERPT_CHARACTERS ? text : `${text.slice(0, MAX_EXCERPT_CHARACTERS)}…`;
}
