/**
 * Questions to models with the payment of what was answered: every refusal before the question costs one, the check with the customer's
 * own copy, and the payment. The command, the Ask page, gateways, MCP tools and the devnet draw it. Amounts are in wei.
 */
import type { ChatAnswer } from "@openledger/attribution/model/model-chat";
import { operationError } from "@openledger/circuits/circuit-errors";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { sealedBytes } from "@openledger/circuits/ledger/model-query";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import * as z from "zod/mini";
import {
  type AskChatErrorCode,
  type AskChatParameters,
  type AskChatReturnType,
  chatOf,
} from "../actions/answers/ask-chat.ts";
import {
  type AskAdapterErrorCode,
  type AskModelErrorCode,
  type AskModelParameters,
  askAdapter,
  askModel,
  askSealed,
  isLeftUnpaid,
} from "../actions/answers/ask-model.ts";
import {
  assuranceOfReply,
  type CheckAnswerErrorCode,
  checkAnswer,
  requireMinAssurance,
  requireRegisteredStatics,
  withOwnEstimate,
} from "../actions/answers/check-answer.ts";
import {
  answerSchema,
  type CheckableModel,
  minAssuranceOf,
  type ReplyAssurance,
  requestModelServer,
  type sealedAnswerSchema,
  type UncheckedAnswer,
} from "../actions/answers/model-answers.ts";
import {
  type PayInferenceErrorCode,
  type PayInferenceParameters,
  type PayInferenceReturnType,
  payInference,
} from "../actions/ledger/pay-inference.ts";
import type { SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { resolveSigner } from "../sequencer/ledger-reads.ts";
import { type GetModelErrorCode, getModel, staticsOf, whyNotPayable } from "../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../sequencer/model-schemas.ts";
import { requireBalance, requireSigner } from "./before-signing.ts";

/**
 * Requires a model that takes another payment in its open epoch.
 * @throws OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL
 * @internal
 */
export function requireTakesPayments({ counters, id }: Pick<LedgerModelLeaf, "counters" | "id">): void {
  const { cap, isApproved, isReady } = counters;
  const why = whyNotPayable(counters);
  if (why === null) return;
  if (why !== "epoch-full")
    throw operationError(
      "OP_MODEL_NOT_PAYABLE",
      `model ${id} is not ${isApproved ? "ready" : "approved by its datanet"}`,
      {
        data: { id, isReady, isApproved },
      },
    );
  throw operationError("OP_EPOCH_FULL", `model ${id} takes ${cap} payments an epoch`, {
    data: { id, cap: cap.toString() },
  });
}

export type PayReceiptErrorCode =
  | "OP_BAD_SIGNATURE"
  | "OP_BALANCE_TOO_LOW"
  | GetModelErrorCode
  | PayInferenceErrorCode;

/**
 * Pays for an answer that was checked before, by its receipt.
 * @throws OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, OP_BELOW_PRICE, OP_AMOUNT_NOT_REPRESENTABLE, OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW;
 *   CLI_RECEIPT_PAID where the account has paid for it before; CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { counters } = await getModel(client, 11);
 * await payReceipt(client, { modelId: 11, amountWei: counters.priceWei, receipt });
 * ```
 */
export async function payReceipt(
  client: LedgerClient,
  parameters: PayInferenceParameters,
): Promise<PayInferenceReturnType> {
  const { amountWei, from, modelId } = parameters;
  encodeAmount(amountWei);
  const [leaf, payer] = await Promise.all([getModel(client, modelId), requireSigner(client, from)]);
  requireTakesPayments(leaf);
  const { priceWei } = leaf.counters;
  if (amountWei < priceWei)
    throw operationError("OP_BELOW_PRICE", `model ${modelId} asks ${priceWei} wei`, {
      data: { id: modelId, priceWei: priceWei.toString() },
    });
  await requireBalance(client, payer, "payInference", amountWei);
  return payInference(client, { ...parameters, from: payer.id });
}

export interface AskAndCheckParameters extends AskModelParameters, Omit<SigningOptions, "from"> {
  /** The customer's own copy of the model. */
  model: CheckableModel;
  /** True to have a language model answer in the batch of an answer server, whose URL `serverUrl` is then. */
  isBatch?: boolean;
  /** False asks without the means or the will to pay: whether the model takes payments is not looked at. Default: true. */
  willPay?: boolean;
  /** Maximum payment, in wei; default: any before the question, the answer's `priceWei` after. */
  maxPriceWei?: bigint;
  /** True to pay before the answer is shown where the account left one unpaid: such answers come sealed (`buyAnswer`). */
  canPayFirst?: boolean;
  /** Called before an answer is paid that is not shown yet. */
  onPayFirst?: () => void;
  /** See `BuyAnswerParameters`. */
  onOffer?: (question: string | null) => void | Promise<void>;
  /** See `AnswerExpectation`; `areRowsRecomputed` likewise. */
  isAnsweredAgain?: boolean;
  areRowsRecomputed?: boolean;
  /** Minimum assurance of each part: nothing is asked of a model that stays below it. See `AnswerExpectation`. */
  minAssurance?: Partial<ReplyAssurance>;
}
export interface AskAndCheckReturnType {
  /** The checked answer, with the estimate of the customer's own copy. */
  readonly answer: UncheckedAnswer;
  readonly assurance: ReplyAssurance;
  /** Payment that opened it; null: it is still to be paid (`payForAnswer`). */
  readonly payment: PayInferenceReturnType | null;
}
export type AskAndCheckErrorCode =
  | "CLI_PRICE_TOO_HIGH"
  | AskAdapterErrorCode
  | AskModelErrorCode
  | BuyAnswerErrorCode
  | PayReceiptErrorCode;

/**
 * Asks a model and checks its answer with the customer's own copy. What would refuse the payment is refused before the question, which
 * a server counts as unpaid.
 * @throws CLI_BELOW_LEAST; OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, CLI_PRICE_TOO_HIGH, OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW before the
 *   question; CLI_ANSWER_WRONG where the answer is another than the model's; the errors of `askModel`, `askAdapter` and `buyAnswer`
 * @example
 * ```ts
 * const question = { serverUrl, modelId: 11, model, prompt: "Win now" };
 * const { answer } = await askAndCheck(client, question);
 * await payForAnswer(client, { ...question, answer });
 * ```
 */
export async function askAndCheck(
  client: LedgerClient,
  parameters: AskAndCheckParameters,
): Promise<AskAndCheckReturnType> {
  const {
    canPayFirst = false,
    isBatch = false,
    maxPriceWei,
    onOffer,
    onPayFirst,
    willPay = true,
    ...rest
  } = parameters;
  const { areRowsRecomputed = false, isAnsweredAgain = false, minAssurance: _, model, ...asking } = rest;
  const minAssurance = minAssuranceOf(parameters);
  const { from, isPrivate, modelId, onText, prompt, serverUrl, ...signing } = asking;
  const sure = { isAnsweredAgain, areRowsRecomputed, minAssurance };
  requireMinAssurance(model, sure);
  const before = await getModel(client, modelId);
  if (willPay) await requireMeans(client, before, { from, maxPriceWei });
  const question = {
    ...{ modelId, prompt, serverUrl },
    ...(from === undefined ? {} : { from }),
    ...(onText && { onText }),
  };
  const request = await (isBatch
    ? askAdapter(client, question)
    : askModel(client, { ...question, ...(isPrivate === undefined ? {} : { isPrivate }) })
  ).catch((error: unknown) => {
    if (!canPayFirst || !isLeftUnpaid(error)) throw error;
    return null;
  });
  const assurance = assuranceOfReply(model, sure);
  if (request === null) {
    onPayFirst?.();
    const own = isBatch ? `${serverUrl.replace(/\/+$/, "")}/ledger/${modelId}` : serverUrl;
    const offered = onOffer && { onOffer };
    const order = { ...signing, ...sure, ...offered, model, modelId, prompt, serverUrl: own };
    const max = maxPriceWei === undefined ? {} : { maxPriceWei };
    const bought = await buyAnswer(client, { ...order, ...max, ...(from === undefined ? {} : { from }) });
    return { ...bought, assurance };
  }
  const { id: payerId } = await resolveSigner(client, from);
  const { payees } = before;
  checkAnswer(model, request, { ...sure, prompt, payerId, payees, staticsHash: staticsOf(before).hash });
  return { answer: withOwnEstimate(model, request), assurance, payment: null };
}

/** @throws OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, CLI_PRICE_TOO_HIGH, OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW */
async function requireMeans(
  client: LedgerClient,
  leaf: LedgerModelLeaf,
  { from, maxPriceWei }: { readonly from: number | undefined; readonly maxPriceWei: bigint | undefined },
): Promise<void> {
  requireTakesPayments(leaf);
  const priceWei = priceOf(leaf, maxPriceWei ?? leaf.counters.priceWei);
  await requireBalance(client, await requireSigner(client, from), "payInference", priceWei);
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
  minAssurance?: Partial<ReplyAssurance>;
}

export type PayForAnswerErrorCode =
  | CheckAnswerErrorCode
  | "CLI_PRICE_TOO_HIGH"
  | "CLI_UNREACHABLE"
  | PayReceiptErrorCode;

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
    minAssurance: _,
    ...signing
  } = parameters;
  const minAssurance = minAssuranceOf(parameters);
  const [{ id: payerId }, leaf] = await Promise.all([
    resolveSigner(client, parameters.from),
    getModel(client, modelId),
  ]);
  const priceWei = priceOf(leaf, maxPriceWei ?? answer.priceWei);
  const sure = { isAnsweredAgain, areRowsRecomputed, minAssurance };
  const { payees } = leaf;
  checkAnswer(model, answer, { ...sure, prompt, payerId, payees, staticsHash: staticsOf(leaf).hash });
  return payReceipt(client, {
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
  minAssurance?: Partial<ReplyAssurance>;
  /**
   * Called before the sealed answer is paid, with the question of the row whose answer it is, by the customer's own copy; null of models
   * that write. What it throws leaves the answer unpaid.
   */
  onOffer?: (question: string | null) => void | Promise<void>;
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
  | PayReceiptErrorCode;

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
  const { isAnsweredAgain = false, areRowsRecomputed = false, from, onOffer, ...signing } = parameters;
  const minAssurance = minAssuranceOf(parameters);
  const sure = { isAnsweredAgain, areRowsRecomputed, minAssurance };
  const leaf = await getModel(client, modelId);
  const staticsHash = staticsOf(leaf).hash;
  // Checks everything that can be checked before the payment.
  requireRegisteredStatics(model, staticsHash);
  requireMinAssurance(model, sure);
  requireTakesPayments(leaf);
  const { given } = await askSealed(client, { serverUrl, modelId, prompt, from });
  const { payerId, priceWei, receipt } = given;
  const maxWei = maxPriceWei ?? priceWei;
  if (leaf.counters.priceWei > maxWei) {
    throw clientError("CLI_PRICE_TOO_HIGH", `model ${modelId} costs ${leaf.counters.priceWei} wei`, {
      data: { modelId, priceWei: `${leaf.counters.priceWei}`, maxPriceWei: `${maxWei}` },
    });
  }
  await onOffer?.(model.rowQuestionOf?.(prompt) ?? null);
  const payment = await payReceipt(client, {
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

/**
 * Opens a sealed answer that is paid.
 * @param timeoutMs time that its server may take to see the payment
 * @throws CLI_WAIT_ENDED, CLI_UNREACHABLE; CLI_ANSWER_INVALID where it opens to no answer
 * @internal
 */
export async function openSealed(
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

export interface PayForChatParameters extends AskChatParameters, Omit<SigningOptions, "from"> {
  /** Maximum payment, in wei; default: the answer's `priceWei`. */
  maxPriceWei?: bigint;
  /** See `AnswerExpectation`; `areRowsRecomputed` likewise. */
  isAnsweredAgain?: boolean;
  areRowsRecomputed?: boolean;
  /** Minimum assurance of each part: nothing is asked of a model that stays below it. See `AnswerExpectation`. */
  minAssurance?: Partial<ReplyAssurance>;
  /** True to pay before the answer is shown where the account left one unpaid: such answers come sealed (`buyAnswer`). */
  canPayFirst?: boolean;
}

export interface PayForChatReturnType extends AskChatReturnType {
  /** The checked answer as a message: its text, and the calls of tools in it. */
  readonly message: ChatAnswer;
  /** Tokens that the model read. */
  readonly promptTokens: number;
  /** Assurance of each part of the answer. */
  readonly assurance: ReplyAssurance;
  readonly payment: PayInferenceReturnType;
}

export type PayForChatErrorCode = AskChatErrorCode | PayForAnswerErrorCode | BuyAnswerErrorCode;

/**
 * Asks a registered model a chat, checks the answer with the customer's own copy of the model, and pays for it. If a check fails,
 * nothing is signed.
 * @throws the errors of `askChat`, `payForAnswer` and, with `canPayFirst`, of `buyAnswer`
 * @example
 * ```ts
 * const messages = [{ role: "user" as const, content: "Who wrote Moby-Dick?" }];
 * const { message, answer } = await payForChat(client, { serverUrl, modelId: 11, model, messages });
 * console.log(message.content, answer.receipt, answer.estimate.topRows);
 * ```
 */
export async function payForChat(
  client: LedgerClient,
  parameters: PayForChatParameters,
): Promise<PayForChatReturnType> {
  const { messages, tools, ...question } = parameters;
  const { canPayFirst: _, isBatch: __, onText: ___, serverUrl: ____, ...paying } = question;
  const chat = chatOf(question.model);
  const prompt = chat.promptOf({ messages, tools });
  const { answer, assurance, payment } = await askAndCheck(client, { ...question, prompt });
  return {
    prompt,
    answer,
    payment: payment ?? (await payForAnswer(client, { ...paying, prompt, answer })),
    message: chat.messageOf(answer.answer, tools),
    promptTokens: chat.countTokens(prompt),
    assurance,
  };
}
