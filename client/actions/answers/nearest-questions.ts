/**
 * Reads the questions of rows that are near one which no row answers: a model's server shows them for nothing, beside its refusal. The
 * command, the Ask page and gateways show them. They are a stranger's words.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import * as z from "zod/mini";

/** A row whose question is near what was asked. */
export interface NearestQuestion {
  /** Place of the row in the model's rows, from 0. */
  readonly row: number;
  readonly question: string;
}

/** Questions that are read at most, and characters of each. */
const MAX_QUESTIONS = 3;
const MAX_CHARACTERS = 400;
const nearestSchema = z.array(
  z.object({
    row: z.int().check(z.nonnegative()),
    question: z.string().check(z.minLength(1), z.maxLength(MAX_CHARACTERS)),
  }),
);

/** True if the model answers by its rows alone, and none of them answers this question. Nothing is owed. */
export const isUnanswered = (error: unknown): boolean =>
  isRollupError(error) &&
  [error.code, (error.data as { reason?: unknown }).reason].includes("ATT_NO_ROW_ANSWERS");

/**
 * Nearest questions beside a refusal, the nearest first, each in one line; none where it is another error, or has none.
 * @example
 * ```ts
 * const refused = await askModel(client, { serverUrl, modelId: 11, prompt: "Any pets?" }).catch((error: unknown) => error);
 * console.log(nearestQuestionsOf(refused).map(({ question }) => question));
 * ```
 */
export function nearestQuestionsOf(error: unknown): NearestQuestion[] {
  if (!isUnanswered(error)) return [];
  const read = nearestSchema.safeParse((error as { data: { nearest?: unknown } }).data.nearest);
  if (!read.success) return [];
  return read.data
    .slice(0, MAX_QUESTIONS)
    .map(({ question, row }) => ({ row, question: question.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim() }))
    .filter(({ question }) => question !== "");
}
