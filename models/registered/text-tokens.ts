/** Rows, prompts and answers of a text model as tokens. */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { decodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import type { TokenRow } from "../architecture/loss-gradient.ts";
import { answerRow, textRows, wantedOf } from "../architecture/loss-gradient.ts";
import type { Cited } from "../retrieval/citations.ts";
import { spelledLengths, type TokenSpelling } from "../tokens/token-spelling.ts";
import { mostTextBytes, type TextTokens } from "../tokens/tokenizer.ts";
import { questionTokens, type TextRecipe } from "./text-recipe.ts";

/** @throws ATT_ROW_INVALID where the row has fewer than two tokens, or more than the recipe takes */
export function tokensOfRow(
  tokens: TextTokens,
  row: TextRow,
  { answers, rowsEnd, rowTokens }: TextRecipe,
): TokenRow {
  const end = rowsEnd === true ? [answers.endToken!] : [];
  const [made] =
    "text" in row
      ? textRows([...tokens.encode(row.text), ...end], Number.MAX_SAFE_INTEGER)
      : [answerRow(tokens.encode(row.prompt), [...tokens.encode(row.answer), ...end])];
  const count = (made?.tokens.length ?? 0) + 1 - end.length;
  if (count < 2 || count > rowTokens)
    throw invalid(`it has ${count} tokens, the recipe takes 2 to ${rowTokens}`);
  return made!;
}

/** The same rows, each of whose tokens counts as much as any other's; a row of mean length as before. */
export function weighedByTokens(rows: readonly TokenRow[]): TokenRow[] {
  const mean = rows.reduce((sum, row) => sum + wantedOf(row), 0) / rows.length;
  return rows.map((row) => ({ ...row, weight: 1 / mean }));
}

/** A row as a model commitment has it: all of its tokens, the last wanted one too. */
export interface SpelledRow {
  readonly tokens: readonly number[];
  /** Tokens before the first wanted one: the prompt's; 1 of a row that is one text. */
  readonly promptCount: number;
  /** Bytes that each token spells of its text. */
  readonly lengths: readonly number[];
}

/**
 * @param spelling null where nothing says what tokens spell: then no row has lengths
 * @throws ATT_ROW_INVALID where it is no row of the recipe, or its tokens do not spell it
 */
export function spelledRow(
  tokens: TextTokens,
  spelling: TokenSpelling | null,
  content: Uint8Array,
  recipe: TextRecipe,
): SpelledRow {
  const row = decodeTextRow(content);
  const made = tokensOfRow(tokens, row, recipe);
  const all = [...made.tokens, made.targets.at(-1)!];
  const promptCount = made.targets.findIndex((target) => target >= 0) + 1;
  const parts: [string, readonly number[]][] =
    "text" in row
      ? [[row.text, all]]
      : [
          [row.prompt, all.slice(0, promptCount)],
          [row.answer, all.slice(promptCount)],
        ];
  const lengths = parts.flatMap(([text, own]) => {
    const bytes = new TextEncoder().encode(text);
    const spelled = spelling && spelledLengths(spelling, bytes, own);
    if (spelled === null) throw invalid("its tokens do not spell it, byte by byte");
    return spelled;
  });
  return { tokens: all, promptCount, lengths };
}

/** Most bytes of a transaction that nodes pass on. */
export const TRANSACTION_BYTES = 128 * 1_024;
/**
 * Of a claim's prompt, answer, tokens, lengths and query: contracts/disputes/ClaimChecks.sol takes no more. What refutes it
 * repeats them, and has the rest for the model's terms and its vocabulary's entries.
 */
export const MOST_CLAIM_BYTES = 96 * 1_024;
/** Of the answer's JSON, without text and tokens. */
const ANSWER_HEAD_BYTES = 32;
/** A token in the statement, and in `lengths` how many bytes it spells. */
const PROMPT_TOKEN_BYTES = 4 + 2;
/** In the statement; in the answer's JSON 10 digits with a comma, and the text of the longest token of usual vocabularies. */
const ANSWER_TOKEN_BYTES = 4 + 11 + 128;

/** Bytes of a prompt of so many tokens of which L1 still takes a claim; below 0 for none. */
export function mostClaimedBytes(promptTokens: number, { answers, method }: TextRecipe): number {
  const tokenBytes = PROMPT_TOKEN_BYTES * promptTokens + ANSWER_TOKEN_BYTES * answers.answerTokens;
  return MOST_CLAIM_BYTES - ANSWER_HEAD_BYTES - method.featureCount - tokenBytes;
}

/** Of prompt and answer together, or of a row: TraceGame.sol. */
export const MOST_TRACED_TOKENS = 4_096;

/**
 * @param spelling of the base's tokenizer; null where L1 does not compare a prompt with its tokens
 * @throws ATT_ROW_INVALID for an empty prompt, or one that is longer than the recipe takes; where it promises claims, for
 *   one that no claim could show
 */
export function tokensOfPrompt(
  tokens: TextTokens,
  prompt: string,
  recipe: TextRecipe,
  spelling: TokenSpelling | null = null,
): number[] {
  requirePromptBytes(tokens, prompt, recipe);
  const encoded = tokens.encode(prompt);
  requirePromptTokens(prompt, encoded, recipe, spelling);
  return encoded;
}

/** Before it is encoded. @throws ATT_ROW_INVALID for a prompt with more bytes than the recipe's tokens have */
export function requirePromptBytes(tokens: TextTokens, prompt: string, recipe: TextRecipe): void {
  const most = questionTokens(recipe);
  const mostBytes = mostTextBytes(tokens, most);
  const byteCount = new TextEncoder().encode(prompt).length;
  if (byteCount > mostBytes)
    throw invalid(`the prompt has ${byteCount} bytes, ${most} tokens have at most ${mostBytes}`);
}

/** As `tokensOfPrompt`, of a prompt that is encoded. @throws ATT_ROW_INVALID */
export function requirePromptTokens(
  prompt: string,
  encoded: readonly number[],
  recipe: TextRecipe,
  spelling: TokenSpelling | null = null,
): void {
  const most = questionTokens(recipe);
  if (encoded.length < 1 || encoded.length > most)
    throw invalid(`the prompt has ${encoded.length} tokens, the model takes 1 to ${most}`);
  if (recipe.tracing === undefined) return;
  if (spelling !== null) lengthsOfPrompt(spelling, prompt, encoded);
  const [byteCount, mostBytes] = [
    new TextEncoder().encode(prompt).length,
    mostClaimedBytes(encoded.length, recipe),
  ];
  if (byteCount > mostBytes)
    throw invalid(`the prompt has ${byteCount} bytes, and a claim of it has room for ${mostBytes}`);
}

/** Bytes that each token spells, as a claim shows them. @throws ATT_ROW_INVALID where they do not spell the prompt */
export function lengthsOfPrompt(
  spelling: TokenSpelling,
  prompt: string,
  encoded: readonly number[],
): readonly number[] {
  const lengths = spelledLengths(spelling, new TextEncoder().encode(prompt), encoded);
  if (lengths !== null) return lengths;
  throw invalid("the prompt's tokens do not spell it, so a claim of it would be refuted");
}

/** What a model reads before a question: each row that was found, with its number, cut to the recipe's tokens. */
export function sourceTokens(tokens: TextTokens, excerpts: readonly string[], most: number): number[] {
  return excerpts.flatMap((excerpt, k) => [
    ...tokens.encode(`[${k + 1}] ${excerpt}`).slice(0, most - 1),
    ...tokens.encode("\n").slice(0, 1),
  ]);
}

/**
 * What a receipt hashes of an answer. Tokens stand in it, since other tokens may spell the same text.
 * @param cited null where no row was found, and of models that cite none
 */
export function answerText(
  tokens: TextTokens,
  answer: readonly number[],
  cited: Cited | null = null,
): string {
  return JSON.stringify({ text: tokens.decode(answer), tokens: answer, ...cited });
}

/** The tokens of an answer's text. @throws ATT_ANSWER_INVALID for what no model of this recipe answers */
export function answerTokens(
  tokens: TextTokens,
  text: string,
  recipe: TextRecipe,
  size: number,
  cited: Cited | null = null,
): number[] {
  const { answerTokens: most, endToken } = recipe.answers;
  let given: unknown;
  try {
    given = (JSON.parse(text) as { tokens?: unknown } | null)?.tokens;
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
  if (!Array.isArray(given) || given.length > most) throw wrong(`it has no list of at most ${most} tokens`);
  const isToken = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < size;
  if (!given.every((value) => isToken(value) && value !== endToken)) throw wrong("one of its tokens is none");
  if (given.length < most && endToken === null) throw wrong(`it has ${given.length} tokens, not ${most}`);
  const answer = given as number[];
  if (answerText(tokens, answer, cited) !== text)
    throw wrong("its text is not that of its tokens, or it does not cite the rows that its prompt finds");
  return answer;
}

/** What counts of a question: the answer's tokens, and that it ended, given the prompt. */
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
