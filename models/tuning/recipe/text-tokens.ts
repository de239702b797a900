/**
 * Turns rows, prompts and answers of a language model into token ids, within the recipe's limits. Training, answering and
 * billing count by it.
 */

import { attributionError } from "@openledger/attribution/attribution-errors";
import { type TextRow, turnOf, wholeText } from "@openledger/attribution/rows/text-rows";
import { counted } from "@openledger/foundation/counted";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { TokenRow } from "../../engine/architecture/loss-gradient.ts";
import { answerRow, textRows, wantedOf } from "../../engine/architecture/loss-gradient.ts";
import { maxTextBytes, type TextTokens } from "../../engine/tokens/tokenizer.ts";
import type { FoundRows } from "../retrieval/find-rows.ts";
import { NO_DATE, templateOf } from "./chat-prompt.ts";
import { endTokensOf, questionTokens, type TextRecipe } from "./text-recipe.ts";

/** @throws ATT_ROW_INVALID if the row has fewer than two tokens, or more than the recipe takes */
export function tokensOfRow(tokens: TextTokens, row: TextRow, recipe: TextRecipe): TokenRow {
  const { answers, rowsEnd, rowTokens } = recipe;
  const end = rowsEnd === true ? [answers.endToken!] : [];
  const turn = turnOf(row);
  const [made] =
    turn === null
      ? textRows([...promptOf(recipe, tokens.encode(wholeText(row))), ...end], Number.MAX_SAFE_INTEGER)
      : [
          answerRow(promptOf(recipe, tokens.encode(rowPrompt(tokens, row, recipe) ?? turn.prompt)), [
            ...tokens.encode(turn.answer),
            ...end,
          ]),
        ];
  const count = (made?.tokens.length ?? 0) + 1 - end.length;
  if (count < 2 || count > rowTokens)
    throw invalid(`it has ${counted(count, "token")}, the recipe takes 2 to ${rowTokens}`);
  return made!;
}

/** Text that the model was trained on for a row's prompt. @throws ATT_ROW_INVALID */
export const rowQuestion = (tokens: TextTokens, prompt: string, recipe: TextRecipe): string =>
  rowPrompt(tokens, { prompt, answer: "" }, recipe) ?? prompt;

/** Prompt of a row, as chats of this model are read; null without a template. @throws ATT_ROW_INVALID for a row that it refuses */
function rowPrompt(tokens: TextTokens, row: TextRow, recipe: TextRecipe): string | null {
  const template = templateOf(tokens, recipe);
  if (template === null) return null;
  const messages =
    "messages" in row
      ? row.messages.slice(0, -1)
      : [{ role: "user", content: (row as { prompt: string }).prompt } as const];
  try {
    return template.render({ messages }, recipe.chat?.date ?? NO_DATE, true);
  } catch (error) {
    if (!isRollupError(error, "MOD_CHAT_REFUSED")) throw error;
    throw invalid(`the base's chat template refuses it: ${(error.data as { reason: string }).reason}`);
  }
}

/** @throws ATT_RECIPE_INVALID for a token that a vocabulary of this size does not have */
export function requireRecipeTokens(recipe: TextRecipe, size: number): void {
  const wrong = [...(recipe.beginTokens ?? []), ...endTokensOf(recipe)].find((token) => token >= size);
  if (wrong === undefined) return;
  const message = `token ${wrong} is none of the base's ${size}`;
  throw attributionError("ATT_RECIPE_INVALID", message, { data: { issues: [{ path: "", message }] } });
}

/** The same rows, each of whose tokens counts as much as any other's; a row of mean length as before. */
export function weighedByTokens(rows: readonly TokenRow[]): TokenRow[] {
  const mean = rows.reduce((sum, row) => sum + wantedOf(row), 0) / rows.length;
  return rows.map((row) => ({ ...row, weight: 1 / mean }));
}

/**
 * A prompt as the model reads it: what the recipe puts before it, once, rows that were found, and the question.
 * @param head of a chat, before its question
 */
export function promptOf(
  recipe: Pick<TextRecipe, "beginTokens">,
  question: readonly number[],
  sources: readonly number[] = [],
  head: readonly number[] = [],
): number[] {
  const { beginTokens = [] } = recipe;
  if (head.length === 0) return [...beginTokens, ...sources, ...withoutBegin(recipe, question)];
  return [...beginTokens, ...withoutBegin(recipe, head), ...sources, ...question];
}

/** Tokens of a text that may spell the begin tokens itself, as many chat templates do. */
function withoutBegin({ beginTokens = [] }: Pick<TextRecipe, "beginTokens">, text: readonly number[]) {
  const hasOwn = beginTokens.length > 0 && beginTokens.every((token, i) => text[i] === token);
  return hasOwn ? text.slice(beginTokens.length) : text;
}

/** The question alone. @throws ATT_ROW_INVALID for an empty prompt, or one that is longer than the recipe takes */
export function tokensOfPrompt(tokens: TextTokens, prompt: string, recipe: TextRecipe): number[] {
  requirePromptBytes(tokens, prompt, recipe);
  const encoded = tokens.encode(prompt);
  requirePromptTokens(encoded, recipe);
  return encoded;
}

/**
 * Checks the bytes of a prompt before it is encoded.
 * @throws ATT_ROW_INVALID for a prompt with more bytes than the
 * recipe's tokens have
 */
export function requirePromptBytes(tokens: TextTokens, prompt: string, recipe: TextRecipe): void {
  const max = questionTokens(recipe);
  const maxBytes = maxTextBytes(tokens, max);
  const byteCount = new TextEncoder().encode(prompt).length;
  if (byteCount > maxBytes)
    throw invalid(`the prompt has ${counted(byteCount, "byte")}, ${max} tokens have at most ${maxBytes}`);
}

/** Checks an encoded prompt as `tokensOfPrompt` does. @throws ATT_ROW_INVALID */
export function requirePromptTokens(encoded: readonly number[], recipe: TextRecipe): void {
  const max = questionTokens(recipe) - (recipe.beginTokens?.length ?? 0);
  const { length } = withoutBegin(recipe, encoded);
  if (length < 1 || length > max)
    throw invalid(`the prompt has ${counted(length, "token")}, the model takes 1 to ${max}`);
}

/**
 * Tokens that a model reads before a question: each row that was found, with its number, cut to the recipe's tokens.
 */
export function sourceTokens(tokens: TextTokens, excerpts: readonly string[], max: number): number[] {
  return excerpts.flatMap((excerpt, k) => [
    ...tokens.encode(`[${k + 1}] ${excerpt}`).slice(0, max - 1),
    ...tokens.encode("\n").slice(0, 1),
  ]);
}

/**
 * Text of an answer that a receipt hashes. It contains the tokens, since other tokens may spell the same text.
 * @param sources rows that were found, and the row's answer where that is said
 */
export function answerText(
  tokens: TextTokens,
  answer: readonly number[],
  { cited, said }: AnswerSources = NO_SOURCES,
): string {
  return JSON.stringify({ text: said ?? tokens.decode(answer), tokens: answer, ...cited });
}

/** Sources of an answer in the rows. */
export type AnswerSources = Pick<FoundRows, "cited" | "said">;
const NO_SOURCES: AnswerSources = { cited: null, said: null };

/** First tokens of a row's answer, as many as the model's answers have: influence is of these. */
export function saidTokens(tokens: TextTokens, said: string, recipe: TextRecipe): number[] {
  const encoded = tokens.encode(said).slice(0, recipe.answers.answerTokens);
  const ends = endTokensOf(recipe);
  const end = encoded.findIndex((token) => ends.includes(token));
  return end < 0 ? encoded : encoded.slice(0, end);
}

/** Tokens of an answer's text. @throws ATT_ANSWER_INVALID for a text that no model of this recipe answers */
export function answerTokens(
  tokens: TextTokens,
  text: string,
  recipe: TextRecipe,
  size: number,
  sources: AnswerSources = NO_SOURCES,
): number[] {
  if (sources.said !== null) {
    const own = saidTokens(tokens, sources.said, recipe);
    if (answerText(tokens, own, sources) !== text)
      throw wrong("it does not say the answer of the row that its prompt finds, or does not cite that row");
    return own;
  }
  const { answerTokens: max } = recipe.answers;
  const endTokens = endTokensOf(recipe);
  let parsedTokens: unknown;
  try {
    parsedTokens = (JSON.parse(text) as { tokens?: unknown } | null)?.tokens;
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
  if (!Array.isArray(parsedTokens) || parsedTokens.length > max)
    throw wrong(`it has no list of at most ${max} tokens`);
  const isToken = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < size;
  if (!parsedTokens.every((value) => isToken(value) && !endTokens.includes(value as number)))
    throw wrong("one of its tokens is none");
  if (parsedTokens.length < max && endTokens.length === 0)
    throw wrong(`it has ${parsedTokens.length} tokens, not ${max}`);
  const answer = parsedTokens as number[];
  if (answerText(tokens, answer, sources) !== text)
    throw wrong("its text is not that of its tokens, or it does not cite the rows that its prompt finds");
  return answer;
}

/** Row of a question that counts: the answer's tokens, and that it ended, given the prompt. */
export function questionRow(
  prompt: readonly number[],
  answer: readonly number[],
  { answers }: TextRecipe,
): TokenRow {
  const isEnded = answers.endToken !== null && answer.length < answers.answerTokens;
  return answerRow(prompt, isEnded ? [...answer, answers.endToken!] : answer);
}

const invalid = (why: string) =>
  attributionError("ATT_ROW_INVALID", `not what the model takes: ${why}`, { data: { kind: "text", why } });

const wrong = (why: string, cause?: unknown) =>
  attributionError("ATT_ANSWER_INVALID", `no answer of this model: ${why}`, { data: { why }, cause });
