import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { resolveSigner } from "../../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../../sequencer/model-reads.ts";
import {
  type PayInferenceErrorCode,
  type PayInferenceReturnType,
  payInference,
} from "../ledger/pay-inference.ts";
import type { SigningOptions } from "../ledger/send-operation.ts";
import { type CheckAnswerErrorCode, checkAnswer } from "./check-answer.ts";
import { streamCompletion } from "./completion-stream.ts";
import {
  answerSchema,
  type CheckableModel,
  requestModelServer,
  type UncheckedAnswer,
} from "./model-answers.ts";
import { type SignQuestionErrorCode, signQuestion } from "./sign-question.ts";

export interface AskModelParameters {
  /** Where the model is served. */
  serverUrl: string;
  modelId: number;
  /** An e-mail's text, or a digit's pixels in base64: what the model's recipe says (docs/reference/attribution.md). */
  prompt: string;
  /** The account that will pay; default: the client's. */
  from?: number;
  /** Of direct models: the prompt stays unpublished even if its payment is drawn. Then check the answer yourself. */
  isPrivate?: boolean;
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
  const { serverUrl, modelId, prompt, from, isPrivate = false } = parameters;
  const signed = await signQuestion(client, { modelId, prompt, from, isPrivate });
  return requestModelServer(client, serverUrl, "/v1/answers", answerSchema, {
    body: { prompt, ...signed, ...(isPrivate ? { isPrivate } : {}) },
  });
}

export interface AskAdapterParameters {
  /** A server of many adapters, without `/v1`. */
  serverUrl: string;
  /** A registered model that it has; its adapter is `model-ID`. */
  modelId: number;
  prompt: string;
  /** The account that will pay; default: the client's. */
  from?: number;
  /** Told the text so far, as the answer comes. It is not checked yet. */
  onText?: (text: string) => void;
}

export type AskAdapterErrorCode =
  | SignQuestionErrorCode
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | `MOD_SERVE_${string}`;

/**
 * Asks a registered model behind a server of many adapters, in the name of the account that will pay, and hands on its
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
  const { from, modelId, onText = () => {}, prompt, serverUrl } = parameters;
  const claim = await signQuestion(client, { modelId, prompt, from });
  const order = { serverUrl, model: `model-${modelId}`, prompt, claim };
  const given = answerSchema.safeParse(await streamCompletion(order, onText));
  if (given.success) return given.data;
  throw clientError("CLI_ANSWER_INVALID", "the answer's last part has no receipt", {
    data: { server: "model server", url: serverUrl },
    cause: given.error,
  });
}

export interface PayForAnswerParameters extends SigningOptions {
  modelId: number;
  /** The customer's own copy of the model. */
  model: CheckableModel;
  prompt: string;
  answer: UncheckedAnswer;
  /** The most that the customer pays; default: what the answer said. */
  maxPriceWei?: bigint;
  /** As `checkAnswer` says. */
  isAnsweredAgain?: boolean;
}

export type PayForAnswerErrorCode = CheckAnswerErrorCode | "CLI_PRICE_TOO_HIGH" | PayInferenceErrorCode;

/**
 * Checks an answer and pays the model's price for it. Nothing is signed where a check fails.
 * @throws CLI_ANSWER_WRONG, CLI_PRICE_TOO_HIGH, and what `payInference` throws
 * @example
 * ```ts
 * const prompt = "Win now";
 * const answer = await askModel(client, { serverUrl, modelId: 11, prompt });
 * await payForAnswer(client, { modelId: 11, model, prompt, answer, maxPriceWei: parseOpen("0.5") });
 * ```
 */
export async function payForAnswer(
  client: LedgerClient,
  parameters: PayForAnswerParameters,
): Promise<PayInferenceReturnType> {
  const { modelId, model, prompt, answer, maxPriceWei, isAnsweredAgain = false, ...signing } = parameters;
  const [{ id: payerId }, leaf] = await Promise.all([
    resolveSigner(client, parameters.from),
    getModel(client, modelId),
  ]);
  const { priceWei } = leaf.counters;
  const mostWei = maxPriceWei ?? answer.priceWei;
  if (priceWei > mostWei) {
    throw clientError("CLI_PRICE_TOO_HIGH", `model ${modelId} costs ${priceWei} wei, more than ${mostWei}`, {
      data: { modelId, priceWei: `${priceWei}`, maxPriceWei: `${mostWei}` },
    });
  }
  const staticsHash = staticsOf(leaf).hash;
  checkAnswer(model, answer, { prompt, payerId, staticsHash, isAnsweredAgain });
  return payInference(client, {
    ...signing,
    from: payerId,
    modelId,
    amountWei: priceWei,
    receipt: answer.receipt,
  });
}
