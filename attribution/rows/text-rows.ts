/**
 * Rows without labels, as bytes of canonical JSON: texts, prompts with their answers, or conversations. Language models are
 * trained on them.
 */
import { attributionError } from "../attribution-errors.ts";
import { MAX_ROW_BYTES } from "./row-content.ts";
import { contentOfRow } from "./salted-rows.ts";

/**
 * One line of canonical JSON, as `JSON.stringify` writes it (docs/reference/attribution.md):
 *
 *   {"text":"…"}
 *   {"prompt":"…","answer":"…"}
 *   {"messages":[{"role":"system","content":"…"},{"role":"user","content":"…"},{"role":"assistant","content":"…"}]}
 *
 * A conversation ends with an answer. A question with its answer alone is no conversation, so that it has one spelling.
 */
export type TextRow =
  | { readonly text: string }
  | { readonly prompt: string; readonly answer: string }
  | { readonly messages: readonly ChatMessage[] };

const ROLES = ["system", "user", "assistant"] as const;
/** A message of a conversation. */
export interface ChatMessage {
  readonly role: (typeof ROLES)[number];
  readonly content: string;
}

/** @throws ATT_ROW_INVALID */
export function encodeTextRow(row: TextRow): Uint8Array {
  if ("messages" in row && row.messages !== null) return encodeConversation(row);
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
  return contentOf(parts);
}

function encodeConversation({
  messages,
  ...others
}: {
  readonly messages: readonly ChatMessage[];
}): Uint8Array {
  if (["text", "prompt", "answer"].some((name) => ((others as Record<string, unknown>)[name] ?? "") !== ""))
    throw invalidRow("it has messages beside a text, a prompt or an answer: leave one of them out");
  if (!Array.isArray(messages)) throw invalidRow("its messages are no list");
  const parts = messages.map((message: Partial<ChatMessage> | null) => {
    const { content, role } = message ?? {};
    if (!ROLES.includes(role!)) throw invalidRow(`a message's role is none of ${ROLES.join(", ")}`);
    if (typeof content !== "string" || content.trim() === "") throw invalidRow("a message is empty");
    if (hasHalfPair(content)) throw invalidRow("a message has half of a surrogate pair");
    return { role, content };
  });
  const roles = parts.map(({ role }) => role);
  if (roles.length < 2 || roles.at(-1) !== "assistant")
    throw invalidRow("its messages do not end with an answer");
  if (roles.join() === "user,assistant")
    throw invalidRow("it is one question with its answer: write it as a prompt and an answer");
  return contentOf({ messages: parts });
}

function contentOf(row: object): Uint8Array {
  const content = new TextEncoder().encode(JSON.stringify(row));
  if (content.length > MAX_ROW_BYTES)
    throw invalidRow(`${content.length} bytes are more than ${MAX_ROW_BYTES}`);
  return content;
}

/** @throws ATT_ROW_INVALID where the content is not exactly what `encodeTextRow` writes */
export function decodeTextRow(bytes: Uint8Array): TextRow {
  const content = contentOfRow(bytes);
  const value = parse(content);
  const conversation = value?.messages;
  const row = Array.isArray(conversation) ? { messages: conversation as ChatMessage[] } : turnOrText(value);
  const again = encodeTextRow(row);
  if (again.length !== content.length || again.some((byte, i) => byte !== content[i]))
    throw invalidRow("it is not written canonically (docs/reference/attribution.md)");
  return row;
}

function turnOrText(value: Record<string, unknown> | null): TextRow {
  const isPlain = typeof value?.text === "string";
  if (!isPlain && (typeof value?.prompt !== "string" || typeof value.answer !== "string"))
    throw invalidRow("it has neither a text nor a prompt and an answer");
  return (isPlain ? { text: value.text } : { prompt: value!.prompt, answer: value!.answer }) as TextRow;
}

/** Returns true for the content of a text row, going by its fields alone. */
export function isTextRow(content: Uint8Array): boolean {
  const head = new TextDecoder().decode(contentOfRow(content).subarray(0, 12));
  return ['{"text":', '{"prompt":', '{"messages":'].some((beginning) => head.startsWith(beginning));
}

/** Beginning of the content of a prompt with its answer. */
export const QUESTION_BEGINNING = '{"prompt":';

/** Returns true for the content of a prompt with its answer, going by its first field alone. */
export const isQuestionRow = (content: Uint8Array): boolean =>
  new TextDecoder().decode(contentOfRow(content).subarray(0, QUESTION_BEGINNING.length)) ===
  QUESTION_BEGINNING;

/** Whole text of a row: near-duplicates are found by it, and people read it. */
export function wholeText(row: TextRow): string {
  if ("messages" in row) return row.messages.map(({ content }) => content).join("\n");
  return "text" in row ? row.text : `${row.prompt}\n${row.answer}`;
}

/**
 * Returns what a model reads of a row and what it is to write; null for a text. Of a conversation that is its last answer
 * after everything before, with an empty line between two messages.
 */
export function turnOf(row: TextRow): { readonly prompt: string; readonly answer: string } | null {
  if ("text" in row) return null;
  if ("prompt" in row) return row;
  const contents = row.messages.map(({ content }) => content);
  return { prompt: joinedMessages(contents.slice(0, -1)), answer: contents.at(-1)! };
}

/** Messages as a model without a chat template reads them: an empty line between two. */
export const joinedMessages = (contents: readonly string[]): string => contents.join("\n\n");

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
