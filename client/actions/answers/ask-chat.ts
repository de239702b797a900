/**
 * Chats with a registered language model: messages in, an answer with its receipt out. The receipt binds the text that the model's own
 * chat template makes of the messages; `payForChat` of client/tasks checks and pays.
 */

import type { ChatMessage, ChatTool, ModelChat } from "@openledger/attribution/model/model-chat";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { type AskModelErrorCode, askAdapter, askModel } from "./ask-model.ts";
import type { CheckableModel, UncheckedAnswer } from "./model-answers.ts";

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

/**
 * The model's own chat.
 * @throws CLI_INPUT_INVALID for a model that takes none
 * @internal
 */
export function chatOf({ chat }: CheckableModel): ModelChat {
  if (chat !== undefined) return chat;
  throw clientError("CLI_INPUT_INVALID", "the model takes no chats: it labels texts, pictures or tables", {
    data: { reason: "no-chats" },
  });
}
