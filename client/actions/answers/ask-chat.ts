/**
 * Chats with a registered language model: messages in, an answer with its receipt out, checked and paid. The receipt binds the text
 * that the model's own chat template makes of the messages; gateways and agents ask by this.
 */

import type { ChatAnswer, ChatMessage, ChatTool, ModelChat } from "@openledger/attribution/model/model-chat";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import type { PayInferenceReturnType } from "../ledger/pay-inference.ts";
import type { SigningOptions } from "../ledger/send-operation.ts";
import {
  type AskModelErrorCode,
  askAdapter,
  askModel,
  type BuyAnswerErrorCode,
  buyAnswer,
  type PayForAnswerErrorCode,
  payForAnswer,
} from "./ask-model.ts";
import { assuranceOfReply, requireLeast, withOwnEstimate } from "./check-answer.ts";
import type { CheckableModel, ReplyAssurance, UncheckedAnswer } from "./model-answers.ts";

export interface AskChatParameters {
  /** URL of the model's server, as `askModel` has it; with `isBatch` that of an answer server, as `askAdapter` has it. */
  serverUrl: string;
  modelId: number;
  /** The customer's own copy of the model: it makes the prompt. */
  model: CheckableModel;
  messages: readonly ChatMessage[];
  /** Tools that the answer may call, if the base's template has a place for them. */
  tools?: readonly ChatTool[] | undefined;
  /** Leaf that will pay; default: the client's. */
  from?: number;
  /** True to have the answer made in the batch of an answer server, which gives its words as they come. */
  isBatch?: boolean;
  /** Called with the text so far, while the answer comes. It is not checked yet, and may be a call of a tool. */
  onText?: (text: string) => void;
}

export interface AskChatReturnType {
  /** Canonical text of the chat: the prompt of `checkAnswer` and `payForAnswer`. */
  readonly prompt: string;
  readonly answer: UncheckedAnswer;
}

export type AskChatErrorCode =
  | AskModelErrorCode
  | "CLI_INPUT_INVALID"
  | "MOD_CHAT_REFUSED"
  | `MOD_SERVE_${string}`;

/**
 * Asks a registered model a chat, in the name of the account that will pay. Asking costs nothing and promises nothing. Pay with
 * `payForAnswer`, or do both by `payForChat`.
 * @throws CLI_INPUT_INVALID for a model without chats, MOD_CHAT_REFUSED for messages that its template refuses, and the errors of
 *   `askModel` and `askAdapter`
 * @example
 * ```ts
 * const messages = [{ role: "user" as const, content: "Who wrote Moby-Dick?" }];
 * const { answer, prompt } = await askChat(client, { serverUrl, modelId: 11, model, messages });
 * await payForAnswer(client, { modelId: 11, model, prompt, answer });
 * ```
 */
export async function askChat(
  client: LedgerClient,
  parameters: AskChatParameters,
): Promise<AskChatReturnType> {
  const { isBatch = false, messages, model, tools, ...question } = parameters;
  const prompt = chatOf(model).promptOf({ messages, tools });
  const ask = isBatch ? askAdapter : askModel;
  return { prompt, answer: await ask(client, { ...question, prompt }) };
}

export interface PayForChatParameters extends AskChatParameters, Omit<SigningOptions, "from"> {
  /** Maximum payment, in wei; default: the answer's `priceWei`. */
  maxPriceWei?: bigint;
  /** See `AnswerExpectation`; `areRowsRecomputed` likewise. */
  isAnsweredAgain?: boolean;
  areRowsRecomputed?: boolean;
  /** Minimum assurance of each part: nothing is asked of a model that stays below it. See `AnswerExpectation`. */
  least?: Partial<ReplyAssurance>;
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
  const {
    canPayFirst = false,
    isBatch,
    messages,
    model,
    modelId,
    onText,
    serverUrl,
    tools,
    ...rest
  } = parameters;
  const { areRowsRecomputed = false, isAnsweredAgain = false, least = {}, from, ...paying } = rest;
  const sure = { isAnsweredAgain, areRowsRecomputed, least };
  const chat = chatOf(model);
  requireLeast(model, sure);
  const payer = from === undefined ? {} : { from };
  const pay = { ...paying, ...payer, ...sure, modelId, model };
  const asked = await askChat(client, {
    serverUrl,
    modelId,
    model,
    messages,
    ...payer,
    ...(tools === undefined ? {} : { tools }),
    ...(isBatch === undefined ? {} : { isBatch }),
    ...(onText === undefined ? {} : { onText }),
  }).catch((error: unknown) => {
    if (!canPayFirst || !isLeftUnpaid(error)) throw error;
    return null;
  });
  const prompt = asked?.prompt ?? chat.promptOf({ messages, tools });
  const own = isBatch === true ? `${serverUrl.replace(/\/+$/, "")}/ledger/${modelId}` : serverUrl;
  const { answer, payment } =
    asked === null
      ? await buyAnswer(client, { ...pay, serverUrl: own, prompt })
      : {
          answer: withOwnEstimate(model, asked.answer),
          payment: await payForAnswer(client, { ...pay, prompt, answer: asked.answer }),
        };
  return {
    prompt,
    answer,
    payment,
    message: chat.messageOf(answer.answer, tools),
    promptTokens: chat.countTokens(prompt),
    assurance: assuranceOfReply(model, sure),
  };
}

const isLeftUnpaid = (error: unknown) =>
  isRollupError(error) && (error.data as { reason?: unknown }).reason === "left-unpaid";

function chatOf({ chat }: CheckableModel): ModelChat {
  if (chat !== undefined) return chat;
  throw clientError("CLI_INPUT_INVALID", "the model takes no chats: it labels texts, pictures or tables", {
    data: { reason: "no-chats" },
  });
}
