/**
 * Chats in OpenAI's form, and how a model's own copy turns them into the prompt that a receipt binds. ask-chat.ts asks and pays by
 * them; models/ implements `ModelChat`.
 */

/** A call of a tool, in an assistant's message; `arguments` is JSON. */
export interface ChatToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message in OpenAI's form; parts of text are joined to one. */
export interface ChatMessage {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly content: string | null;
  readonly name?: string | null | undefined;
  readonly tool_calls?: readonly ChatToolCall[] | null | undefined;
  readonly tool_call_id?: string | null | undefined;
}

/** A tool in OpenAI's form. */
export interface ChatTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly parameters?: unknown;
  };
}

export interface Chat {
  readonly messages: readonly ChatMessage[];
  /** Tools that the answer may call, if the base's template has a place for them. */
  readonly tools?: readonly ChatTool[] | undefined;
}

/** An answer as a message of a chat. */
export interface ChatAnswer {
  /** null for calls of tools without a text before them. */
  readonly content: string | null;
  readonly toolCalls: readonly ChatToolCall[];
  readonly finishReason: "stop" | "length" | "tool_calls";
  readonly answerTokens: number;
}

/** The chats of a model, by the customer's own copy. */
export interface ModelChat {
  /**
   * Canonical text of a chat: question and receipt bind it, so it is the prompt of `askModel` and `checkAnswer`.
   * @throws MOD_CHAT_REFUSED; `data.param` names the field
   */
  promptOf(chat: Chat): string;
  /** Number of tokens that the model reads of a text. */
  countTokens(text: string): number;
  /** Message of an answer. @param answer text that the receipt hashes (`UncheckedAnswer.answer`) @param tools of the chat */
  messageOf(answer: string, tools?: readonly ChatTool[]): ChatAnswer;
}
