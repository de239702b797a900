/**
 * Questions to a model's answer server, and payment for the answer: ask, check, pay, or all three by `buyAnswer`. The command
 * line, the Ask page and programs call it. Amounts are in wei; an answer is a promise of the server until `checkAnswer` has
 * passed.
 */
import { sealedBytes } from "@openledger/circuits/ledger/model-query";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import * as z from "zod/mini";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { resolveSigner } from "../../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../../sequencer/model-schemas.ts";
import {
  type PayInferenceErrorCode,
  type PayInferenceReturnType,
  payInference,
} from "../ledger/pay-inference.ts";
import type { SigningOptions } from "../ledger/send-operation.ts";
import {
  type CheckAnswerErrorCode,
  checkAnswer,
  requireLeast,
  requirePayer,
  requireRegisteredStatics,
  withOwnEstimate,
} from "./check-answer.ts";
import { streamAnswer, streamCompletion } from "./completion-stream.ts";
import {
  answerSchema,
  type CheckableModel,
  type ReplyAssurance,
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
  const { serverUrl, modelId, prompt, from, isPrivate = false, onText = () => {} } = parameters;
  const signed = await signQuestion(client, { modelId, prompt, from, isPrivate });
  const body = { prompt, ...signed, ...(isPrivate ? { isPrivate } : {}) };
  return givenAnswer(serverUrl, await streamAnswer(serverUrl, body, onText));
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
  const { from, modelId, onText = () => {}, prompt, serverUrl } = parameters;
  const claim = await signQuestion(client, { modelId, prompt, from });
  const order = { serverUrl, model: `model-${modelId}`, prompt, claim };
  return givenAnswer(serverUrl, await streamCompletion(order, onText));
}

function givenAnswer(url: string, last: unknown): UncheckedAnswer {
  const given = answerSchema.safeParse(last);
  if (given.success) return given.data;
  throw clientError("CLI_ANSWER_INVALID", "the answer is not as documented", {
    data: { server: "answer server", url },
    cause: given.error,
  });
}

export interface PayForAnswerParameters extends SigningOptions {
  modelId: number;
  /** The customer's own copy of the model. */
  model: CheckableModel;
  prompt: string;
  answer: UncheckedAnswer;
  /** Maximum payment, in wei; default: the answer's `priceWei`. */
  maxPriceWei?: bigint;
  /** See `AnswerExpectation`; `areRowsRecomputed` likewise. */
  isAnsweredAgain?: boolean;
  areRowsRecomputed?: boolean;
  /** Minimum assurance of each part: nothing is signed for a reply below it. See `AnswerExpectation`. */
  least?: Partial<ReplyAssurance>;
}

export type PayForAnswerErrorCode =
  | CheckAnswerErrorCode
  | "CLI_PRICE_TOO_HIGH"
  | "CLI_UNREACHABLE"
  | PayInferenceErrorCode;

/**
 * Checks an answer and pays the model's price for it. If a check fails, nothing is signed.
 * @throws CLI_ANSWER_WRONG, CLI_BELOW_LEAST, CLI_PRICE_TOO_HIGH, CLI_UNREACHABLE, and the errors of `payInference`
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
  const {
    modelId,
    model,
    prompt,
    answer,
    maxPriceWei,
    isAnsweredAgain = false,
    areRowsRecomputed = false,
    least = {},
    ...signing
  } = parameters;
  const [{ id: payerId }, leaf] = await Promise.all([
    resolveSigner(client, parameters.from),
    getModel(client, modelId),
  ]);
  const priceWei = priceOf(leaf, maxPriceWei ?? answer.priceWei);
  const sure = { isAnsweredAgain, areRowsRecomputed, least };
  const { payees } = leaf;
  checkAnswer(model, answer, { ...sure, prompt, payerId, payees, staticsHash: staticsOf(leaf).hash });
  return payInference(client, {
    ...signing,
    from: payerId,
    modelId,
    amountWei: priceWei,
    receipt: answer.receipt,
  });
}

/**
 * Price of an answer of this model on the ledger, in wei: a server's price is a bound at most.
 * @internal
 */
export function priceOf({ counters, id }: Pick<LedgerModelLeaf, "counters" | "id">, maxWei: bigint): bigint {
  const { priceWei } = counters;
  if (priceWei <= maxWei) return priceWei;
  throw clientError("CLI_PRICE_TOO_HIGH", `model ${id} costs ${priceWei} wei, more than ${maxWei}`, {
    data: { modelId: id, priceWei: `${priceWei}`, maxPriceWei: `${maxWei}` },
  });
}

export interface BuyAnswerParameters extends SigningOptions {
  /** URL of the model's server. */
  serverUrl: string;
  modelId: number;
  /** The customer's own copy of the model. */
  model: CheckableModel;
  prompt: string;
  /** Maximum payment, in wei; default: the server's price. */
  maxPriceWei?: bigint;
  /** See `AnswerExpectation`; `areRowsRecomputed` likewise. */
  isAnsweredAgain?: boolean;
  areRowsRecomputed?: boolean;
  /** Minimum assurance of each part: a reply below it is not requested. See `AnswerExpectation`. */
  least?: Partial<ReplyAssurance>;
  /** Milliseconds that the server may take to open the answer once it is paid; default: a minute. */
  timeoutMs?: number;
}

export interface BuyAnswerReturnType {
  /** The opened answer, checked. */
  readonly answer: UncheckedAnswer;
  readonly payment: PayInferenceReturnType;
}

export type BuyAnswerErrorCode =
  | AskModelErrorCode
  | CheckAnswerErrorCode
  | "CLI_PRICE_TOO_HIGH"
  | "CLI_WAIT_ENDED"
  | PayInferenceErrorCode;

/** Time that a server has to open a paid answer. */
const OPEN_TIMEOUT_MS = 60_000;
/** Interval between two requests for a paid answer. */
const OPEN_POLL_MS = 250;
const openingSchema = z.object({ salt: z.optional(answerSchema.shape.salt) });

/**
 * Pays for an answer before it is shown. A server requires it of an account that left an answer unpaid (ATT_ANSWER_UNPAID
 * with `data.reason` "left-unpaid"). The answer comes sealed, is paid, is opened by its receipt's salt and then checked.
 * A server that seals a false answer gets this one payment; do not ask it again.
 * @throws CLI_ANSWER_WRONG, CLI_BELOW_LEAST, CLI_PRICE_TOO_HIGH, CLI_WAIT_ENDED where it is not opened, and the
 *   errors of `askModel` and `payInference`
 * @example
 * ```ts
 * const { answer } = await buyAnswer(client, { serverUrl, modelId: 11, model, prompt: "Win now" });
 * console.log(answer.label);
 * ```
 */
export async function buyAnswer(
  client: LedgerClient,
  parameters: BuyAnswerParameters,
): Promise<BuyAnswerReturnType> {
  const { serverUrl, modelId, model, prompt, maxPriceWei, timeoutMs = OPEN_TIMEOUT_MS } = parameters;
  const { isAnsweredAgain = false, areRowsRecomputed = false, least = {}, from, ...signing } = parameters;
  const sure = { isAnsweredAgain, areRowsRecomputed, least };
  const leaf = await getModel(client, modelId);
  const staticsHash = staticsOf(leaf).hash;
  // Checks everything that can be checked before the payment.
  requireRegisteredStatics(model, staticsHash);
  requireLeast(model, sure);
  const { given } = await askSealed(client, { serverUrl, modelId, prompt, from });
  const { payerId, priceWei, receipt } = given;
  const maxWei = maxPriceWei ?? priceWei;
  if (leaf.counters.priceWei > maxWei) {
    throw clientError("CLI_PRICE_TOO_HIGH", `model ${modelId} costs ${leaf.counters.priceWei} wei`, {
      data: { modelId, priceWei: `${leaf.counters.priceWei}`, maxPriceWei: `${maxWei}` },
    });
  }
  const payment = await payInference(client, {
    ...signing,
    from: payerId,
    modelId,
    amountWei: leaf.counters.priceWei,
    receipt,
  });
  const answer = "sealed" in given ? await openSealed(client, serverUrl, given, timeoutMs) : given;
  checkAnswer(model, answer, { ...sure, prompt, payerId, payees: leaf.payees, staticsHash });
  return { answer: withOwnEstimate(model, answer), payment };
}

/** Answer to a question that is paid before it is shown. */
export interface SealedReply {
  readonly signed: SignedQuestion;
  /** Open where the account has this very answer unpaid and open already. */
  readonly given: UncheckedAnswer | z.output<typeof sealedAnswerSchema>;
}

/**
 * Asks a model in the payer's name for an answer that the payment opens.
 * @throws CLI_ANSWER_WRONG for another payer's, and the errors of `askModel`
 * @internal
 */
export async function askSealed(
  client: LedgerClient,
  { from, modelId, prompt, serverUrl }: Omit<Question, "isPrivate"> & { readonly serverUrl: string },
): Promise<SealedReply> {
  const signed = await signQuestion(client, { modelId, prompt, from });
  const schema = z.union([sealedAnswerSchema, answerSchema]);
  const body = { prompt, ...signed, isSealed: true };
  const given = await requestModelServer(client, serverUrl, "/v1/answers", schema, { body });
  requirePayer(given.payerId, signed.payerId);
  return { signed, given };
}

async function openSealed(
  client: LedgerClient,
  serverUrl: string,
  { sealed, ...terms }: z.output<typeof sealedAnswerSchema>,
  timeoutMs: number,
): Promise<UncheckedAnswer> {
  const path = `/v1/answers/${hex32(terms.receipt)}`;
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const { salt } = await requestModelServer(client, serverUrl, path, openingSchema);
    if (salt !== undefined) return openedWith(salt, sealed, terms, `${serverUrl}${path}`);
    if (Date.now() > untilMs)
      throw clientError(
        "CLI_WAIT_ENDED",
        `the answer is paid, and ${serverUrl} has not opened it: do not ask this server again`,
        {
          data: { receipt: hex32(terms.receipt), url: serverUrl },
        },
      );
    await new Promise((resolve) => setTimeout(resolve, OPEN_POLL_MS));
  }
}

function openedWith(
  salt: bigint,
  sealed: string,
  terms: Omit<z.output<typeof sealedAnswerSchema>, "sealed">,
  url: string,
): UncheckedAnswer {
  const bytes = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
  const invalid = (cause: unknown) =>
    clientError("CLI_ANSWER_INVALID", `the reply of ${url} decrypts to no answer`, {
      data: { server: "answer server", url },
      cause,
    });
  let opened: object;
  try {
    opened = JSON.parse(textOfBytes(sealedBytes(salt, bytes))) as object;
  } catch (cause) {
    throw invalid(cause);
  }
  const { expiresAtMs, payerId, priceWei, receipt } = terms;
  const answer = answerSchema.safeParse({
    ...opened,
    payerId,
    expiresAtMs,
    receipt: hex32(receipt),
    priceWei: `${priceWei}`,
    salt: hex32(salt),
  });
  if (!answer.success) throw invalid(answer.error);
  return answer.data;
}
