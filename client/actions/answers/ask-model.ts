/**
 * Questions to a model's answer server. An answer is a promise of the server until `checkAnswer` has passed; client/tasks/pay-for-answer.ts
 * checks and pays. The command line, the Ask page, gateways and programs call it. Amounts are in wei.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import * as z from "zod/mini";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { requirePayer } from "./check-answer.ts";
import { streamAnswer, streamCompletion } from "./completion-stream.ts";
import {
  answerSchema,
  requestModelServer,
  sealedAnswerSchema,
  type UncheckedAnswer,
} from "./model-answers.ts";
import {
  type Question,
  type SignedQuestion,
  type SignQuestionErrorCode,
  signQuestion,
} from "./sign-question.ts";

export interface AskModelParameters {
  /** URL of the model's server. */
  serverUrl: string;
  modelId: number;
  /** Prompt: a text, or a picture's file in base64, by the model's recipe (docs/reference/attribution.md). */
  prompt: string;
  /** Leaf that will pay; default: the client's. */
  from?: number;
  /** True keeps a direct model's prompt unpublished even if its payment is drawn. Then check the answer yourself. */
  isPrivate?: boolean;
  /** Called with the text so far, while the answer comes, by models that write word by word. It is not checked yet. */
  onText?: (text: string) => void;
  /** Aborts the request. The server may have made the answer by then, and count it as unpaid. */
  signal?: AbortSignal | undefined;
}

export type AskModelErrorCode =
  | SignQuestionErrorCode
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | `ATT_${string}`;

/**
 * Asks a model, in the name of the account that will pay. Asking costs nothing and promises nothing, but an account has
 * at most one unpaid answer. Pay with `payForAnswer`, which checks the answer first.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND, CLI_UNREACHABLE, CLI_ANSWER_INVALID,
 *   ATT_ANSWER_UNPAID and other ATT_… codes as the server refuses
 * @example
 * ```ts
 * const answer = await askModel(client, { serverUrl, modelId: 11, prompt: "Win now" });
 * console.log(answer.label, answer.priceWei);
 * ```
 */
export async function askModel(
  client: LedgerClient,
  parameters: AskModelParameters,
): Promise<UncheckedAnswer> {
  const { serverUrl, modelId, prompt, from, isPrivate = false, onText = () => {}, signal } = parameters;
  const signed = await signQuestion(client, { modelId, prompt, from, isPrivate });
  const body = { prompt, ...signed, ...(isPrivate ? { isPrivate } : {}) };
  return receivedAnswer(serverUrl, await streamAnswer(serverUrl, body, onText, { signal }));
}

export interface AskAdapterParameters {
  /** URL of an answer server, without `/v1`. */
  serverUrl: string;
  /** Registered model that the server has; its adapter is `model-ID`. */
  modelId: number;
  prompt: string;
  /** Leaf that will pay; default: the client's. */
  from?: number;
  /** Called with the text so far, while the answer comes. It is not checked yet. */
  onText?: (text: string) => void;
  /** Aborts the request. The server may have made the answer by then, and count it as unpaid. */
  signal?: AbortSignal | undefined;
}

export type AskAdapterErrorCode =
  | SignQuestionErrorCode
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | `MOD_SERVE_${string}`;

/**
 * Asks a registered model behind an answer server, in the name of the account that will pay, and passes on its
 * words as they come. Pay with `payForAnswer`, which checks the answer first.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND, CLI_UNREACHABLE, CLI_ANSWER_INVALID,
 *   MOD_SERVE_UNPAID and other MOD_SERVE_… codes as the server refuses
 * @example
 * ```ts
 * const answer = await askAdapter(client, { serverUrl, modelId: 11, prompt: "The whale", onText: console.log });
 * console.log(answer.answer, answer.estimate.topRows);
 * ```
 */
export async function askAdapter(
  client: LedgerClient,
  parameters: AskAdapterParameters,
): Promise<UncheckedAnswer> {
  const { from, modelId, onText = () => {}, prompt, serverUrl, signal } = parameters;
  const claim = await signQuestion(client, { modelId, prompt, from });
  const order = { serverUrl, model: `model-${modelId}`, prompt, claim, signal };
  return receivedAnswer(serverUrl, await streamCompletion(order, onText));
}

function receivedAnswer(url: string, last: unknown): UncheckedAnswer {
  const input = answerSchema.safeParse(last);
  if (input.success) return input.data;
  const isSealed = sealedAnswerSchema.safeParse(last).success;
  const why = isSealed
    ? "the answer is sealed: it is paid before it is shown"
    : "the answer is not as documented";
  throw clientError("CLI_ANSWER_INVALID", why, {
    data: { server: "answer server", url, ...(isSealed ? { isSealed } : {}) },
    cause: input.error,
  });
}

/**
 * True where the server has sealed the answer to this very question, when the account asked so before.
 * @internal
 */
export const isSealedReply = (error: unknown): boolean =>
  isRollupError(error, "CLI_ANSWER_INVALID") && (error.data as { isSealed?: unknown }).isSealed === true;

/**
 * True where the server shows this account no answer before it is paid, since an earlier one was left unpaid.
 * @internal
 */
export const isLeftUnpaid = (error: unknown): boolean =>
  (isRollupError(error, "ATT_ANSWER_UNPAID") || isRollupError(error, "MOD_SERVE_UNPAID")) &&
  (error.data as { reason?: unknown }).reason === "left-unpaid";

/** Answer to a question that is paid before it is shown. */
export interface SealedReply {
  readonly signed: SignedQuestion;
  /** Open where the account has this very answer unpaid and open already. */
  readonly given: UncheckedAnswer | z.output<typeof sealedAnswerSchema>;
}

export interface AskSealedParameters extends Omit<Question, "isPrivate"> {
  readonly serverUrl: string;
  /** Milliseconds to wait for the answer; default: the client's of any request. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a model in the payer's name for an answer that the payment opens.
 * @throws CLI_ANSWER_WRONG for another payer's, and the errors of `askModel`
 * @internal
 */
export async function askSealed(
  client: LedgerClient,
  { from, modelId, prompt, serverUrl, signal, timeoutMs }: AskSealedParameters,
): Promise<SealedReply> {
  const signed = await signQuestion(client, { modelId, prompt, from });
  const schema = z.union([sealedAnswerSchema, answerSchema]);
  const body = { prompt, ...signed, isSealed: true };
  const access = timeoutMs === undefined ? client : { requestTimeoutMs: timeoutMs };
  const given = await requestModelServer(access, serverUrl, "/v1/answers", schema, { body, signal });
  requirePayer(given.payerId, signed.payerId);
  return { signed, given };
}
