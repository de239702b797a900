/** Chats as a model's own copy reads them: the text that a receipt binds, and the message that an answer is. */
import type { CheckableModel } from "@openledger/client/actions/answers/model-answers";
import type { ChatTool, TemplateChat, ToolCall } from "@openledger/models/engine/tokens/chat-template";
import { invalidRequest } from "@openledger/models/serving/openai/openai-requests";
import type { OpenedModel } from "./checkable-models.ts";

/** Chats of a model, by its base's template. */
interface ModelChat {
  promptOf(chat: TemplateChat): string;
  countTokens(text: string): number;
  messageOf(
    answer: string,
    tools?: readonly ChatTool[],
  ): {
    readonly content: string | null;
    readonly toolCalls: readonly ToolCall[];
    readonly finishReason: "stop" | "length" | "tool_calls";
    readonly answerTokens: number;
  };
}

/** Template of a model; null where its base has none. */
export const chatOf = (model: CheckableModel): ModelChat | null =>
  (model as { chat?: ModelChat }).chat ?? null;

/**
 * Makes the text that the receipt binds: by the base's template, or the one message of a model without one.
 * @throws SRV_BAD_REQUEST, MOD_CHAT_REFUSED
 */
export function promptOfChat({ model }: OpenedModel, chat: TemplateChat): string {
  const template = chatOf(model);
  if (template !== null) return template.promptOf(chat);
  const [first, ...others] = chat.messages;
  if ((chat.tools ?? []).length > 0)
    throw invalidRequest("tools", "the model has no template for tools", "unsupported_parameter");
  if (others.length === 0 && first?.role === "user" && first.content !== null) return first.content;
  throw invalidRequest(
    "messages",
    "the model has no chat template: it takes one message of the user",
    "unsupported_value",
  );
}
