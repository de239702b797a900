/**
 * Chats of a registered language model: which text its receipt binds, and where the question stands in it. Servers and customers
 * render by the recipe's template; a model whose recipe names none has a rule of its own (docs/reference/attribution.md).
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { Chat, ModelChat } from "@openledger/attribution/model/model-chat";
import { chatText, plainMessages } from "../../engine/tokens/chat-text.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";
import { answerMessage } from "../../engine/tokens/tool-calls.ts";
import { modelError } from "../../model-errors.ts";
import { isCiting, type TextRecipe } from "./text-recipe.ts";

/** Date of a template that writes none. */
export const NO_DATE = "1970-01-01";

/** The recipe's template. @throws RollupError ATT_RECIPE_INVALID where it is not the base's, MOD_FILE_INVALID */
export function templateOf(tokens: Pick<TextTokens, "chat">, { chat }: Pick<TextRecipe, "chat">) {
  if (chat === undefined) return null;
  const template = tokens.chat();
  if (template?.sha256 === chat.template) return template;
  const message = "the base's chat template is another one than the recipe names";
  throw attributionError("ATT_RECIPE_INVALID", message, {
    data: { issues: [{ path: "chat.template", message }] },
  });
}

/** Chats of a model, by its recipe and the base's tokens. */
export function modelChat(tokens: TextTokens, recipe: TextRecipe): ModelChat {
  return {
    promptOf: (chat) => chatPrompt(tokens, recipe, chat),
    countTokens: (text) => tokens.encode(text).length,
    messageOf(answer, tools = []) {
      const { text, tokens: ids } = JSON.parse(answer) as { text: string; tokens: readonly number[] };
      const message = answerMessage(text, tools);
      // A row's answer is said whole, whatever its length.
      const isCut = ids.length >= recipe.answers.answerTokens && tokens.decode(ids) === text;
      const finishReason = message.toolCalls.length > 0 ? "tool_calls" : isCut ? "length" : "stop";
      return { ...message, finishReason, answerTokens: ids.length };
    },
  };
}

/** Rules by which a chat becomes a text (docs/reference/attribution.md). */
export type ChatRule = "template" | "question" | "rows";

/** The rule of a model: its template, the last question of a model that says rows, or that of conversations' rows. */
export function chatRuleOf({ chat, retrieval }: Pick<TextRecipe, "chat" | "retrieval">): ChatRule {
  if (chat !== undefined) return "template";
  return retrieval?.says === "row" ? "question" : "rows";
}

/** Canonical text of a chat. @throws RollupError MOD_CHAT_REFUSED, ATT_RECIPE_INVALID */
export function chatPrompt(tokens: Pick<TextTokens, "chat">, recipe: TextRecipe, chat: Chat): string {
  const template = templateOf(tokens, recipe);
  if (isCiting(recipe)) requireQuestion(chat);
  if (chatRuleOf(recipe) === "question") return plainMessages(chat).at(-1)!.content;
  return chatText(template, chat, recipe.chat?.date ?? NO_DATE);
}

/** Text that a question of one text is for a model: the chat of this question alone. @throws RollupError MOD_CHAT_REFUSED */
export const askedText = (chat: ModelChat | undefined, question: string): string =>
  chat?.promptOf({ messages: [{ role: "user", content: question }] }) ?? question;

/** Rows are found for the last message, so that has to be the user's. */
function requireQuestion({ messages, tools }: Chat): void {
  const last = messages.length - 1;
  if ((tools?.length ?? 0) > 0) throw refused("tools", "the model answers by its rows, and calls no tools");
  if (messages[last]?.role !== "user")
    throw refused(
      `messages.${Math.max(0, last)}.role`,
      "the last message is the question: it has to be the user's",
    );
}

/** A prompt with the question in it, which rows are found for. */
export interface PromptParts {
  readonly head: string;
  readonly question: string;
  readonly tail: string;
}

/** Parts of a prompt: a chat's question stands between the template's marks, any other prompt is a question. */
export function promptParts({ chat }: Pick<TextRecipe, "chat">, prompt: string): PromptParts {
  const marks = chat?.question;
  const plain = { head: "", question: prompt, tail: "" };
  if (marks === undefined || !prompt.endsWith(marks.after)) return plain;
  const end = prompt.length - marks.after.length;
  const at = prompt.slice(0, end).lastIndexOf(marks.before);
  if (at < 0) return plain;
  const start = at + marks.before.length;
  return { head: prompt.slice(0, start), question: prompt.slice(start, end), tail: marks.after };
}

const refused = (param: string, reason: string) =>
  modelError("MOD_CHAT_REFUSED", `${param}: ${reason}`, { data: { param, reason } });
