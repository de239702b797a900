/**
 * The text of a chat: by the base's template, or, without one, by the rule by which rows of conversations are read. The answer server
 * and registered models render by it.
 */

import type { Chat, ChatMessage } from "@openledger/attribution/model/model-chat";
import { joinedMessages } from "@openledger/attribution/rows/text-rows";
import { modelError } from "../../model-errors.ts";
import type { ChatTemplate } from "./chat-template.ts";
import type { TextTokens } from "./tokenizer.ts";

/**
 * @param template null for a base without one: the messages' contents stand one after another, an empty line between two
 * @param date that a template may write, as YYYY-MM-DD
 * @throws RollupError MOD_CHAT_REFUSED
 */
export const chatText = (template: ChatTemplate | null, chat: Chat, date: string): string =>
  template === null ? plainChat(chat) : template.render(chat, date);

/** Returns true for a chat that is rendered in a few milliseconds at most: few messages of few characters, and no tools. */
export const isShortChat = (
  { messages, tools }: Chat,
  max: { readonly messages: number; readonly characters: number },
): boolean =>
  messages.length <= max.messages &&
  (tools ?? []).length === 0 &&
  messages.every(({ tool_calls: calls }) => (calls ?? []).length === 0) &&
  messages.reduce((sum, message) => sum + charactersOf(message), 0) <= max.characters;

/** Characters of all fields that a template may write. */
const charactersOf = ({ content, name, tool_call_id: callId }: ChatMessage): number =>
  [content, name, callId].reduce<number>((sum, text) => sum + (text ?? "").length, 0);

/** Token that ends a turn by the template; none without a template, or where it writes no mark. */
export function turnEndOf(tokens: Pick<TextTokens, "chat" | "encode">): number[] {
  const mark = tokens.chat()?.endMark ?? null;
  return mark === null ? [] : tokens.encode(mark);
}

function plainChat(chat: Chat): string {
  return joinedMessages(plainMessages(chat).map(({ content }) => content));
}

/** Messages of a chat for a model without a template. @throws RollupError MOD_CHAT_REFUSED for tools and calls */
export function plainMessages({ messages, tools }: Chat): { role: string; content: string }[] {
  if ((tools?.length ?? 0) > 0) throw refused("tools");
  return messages.map(({ content, role, tool_calls: calls }, i) => {
    if (role === "tool") throw refused(`messages.${i}.role`);
    if ((calls?.length ?? 0) > 0) throw refused(`messages.${i}.tool_calls`);
    return { role, content: content ?? "" };
  });
}

function refused(param: string) {
  const reason = "the model has no chat template, so it has no place for tools";
  return modelError("MOD_CHAT_REFUSED", `${param}: ${reason}`, { data: { param, reason } });
}
