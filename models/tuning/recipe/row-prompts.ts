/**
 * Makes a prompt and its expected continuation from a row that a model was not trained on, for comparisons and sample answers
 * of a job.
 */
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { type TextRow, turnOf, wholeText } from "@openledger/attribution/rows/text-rows";

/** Maximum characters of a prompt that is the beginning of a plain text; it is cut behind a word. */
const MAX_PROMPT_CHARACTERS = 80;
const MAX_EXCERPT_CHARACTERS = 160;

export interface RowPrompt {
  readonly prompt: string;
  readonly expected: string;
}

/** A question and its answer, or the beginning of a text and the rest; null for a text of one word. */
export function promptOfRow(row: TextRow): RowPrompt | null {
  const turn = turnOf(row);
  if (turn !== null) return { prompt: turn.prompt, expected: turn.answer };
  const text = wholeText(row);
  const max = Math.min(MAX_PROMPT_CHARACTERS, Math.ceil(text.length / 2));
  const end = text.lastIndexOf(" ", max);
  if (end <= 0) return null;
  return { prompt: text.slice(0, end), expected: text.slice(end) };
}

/** Beginning of a row that is sorted: of a table its fields with their values; a picture has none. */
export function excerptOf(content: Uint8Array, isTable: boolean): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(contentOfRow(content));
    return shortened(isTable ? fieldsIn(text) : text);
  } catch {
    return "";
  }
}

const fieldsIn = (json: string): string =>
  Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");

const shortened = (text: string): string =>
  text.length <= MAX_EXCERPT_CHARACTERS ? text : `${text.slice(0, MAX_EXCERPT_CHARACTERS)}…`;

export function excerptOfRow(row: TextRow): string {
  const turn = turnOf(row);
  return shortened(turn === null ? wholeText(row) : `${turn.prompt} → ${turn.answer}`);
}
