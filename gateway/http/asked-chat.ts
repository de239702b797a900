/**
 * Questions of OpenAI's requests: the messages of a chat, as the model's own copy makes a prompt of them. chat-route.ts and
 * responses-route.ts call it.
 */

import { type ChatMessage, invalidRequest } from "@openledger/models/serving/openai/openai-requests";
import type { PaidAnswer } from "../asking/asker.ts";
import type { OpenedModel } from "../asking/checkable-models.ts";

/** Makes the text that the receipt binds. @throws SRV_BAD_REQUEST */
export function promptOfChat(_opened: OpenedModel, messages: readonly ChatMessage[]): string {
  const [first, ...others] = messages;
  if (others.length === 0 && first?.role === "user") return first.content;
  throw invalidRequest("messages", "registered models take one message of the user", "unsupported_value");
}

/** Reason for which the answer ended, by OpenAI's names. */
export const finishOf = ({ finish }: Pick<PaidAnswer, "finish">): "stop" | "length" =>
  finish === "length" ? "length" : "stop";
