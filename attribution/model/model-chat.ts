/**
 * Chats in OpenAI's form, and how a language model makes of them the text that a receipt binds. models/ implements `ModelChat`; the
 * client library asks and pays by it.
 */

/** A call of a tool, in an assistant's message. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  /** Arguments are JSON, as OpenAI has them. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message in OpenAI's form, whose parts of text are joined. */
export interface ChatMessage {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly content: string | null;
  /** Name of the tool whose result the message is; elsewhere it has no effect. */
  readonly name?: string | null | undefined;
  readonly tool_calls?: readonly ToolCall[] | null | undefined;
  readonly tool_call_id?: string | null | undefined;
}

/** A tool in OpenAI's form. */
export interface ChatTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly parameters?: unknown;
    readonly strict?: boolean | null | undefined;
  };
}

export interface Chat {
  readonly messages: readonly ChatMessage[];
  /** Tools that the answer may call, if the base's template has a position for them. */
  readonly tools?: readonly ChatTool[] | null | undefined;
}

/** An answer as a message. */
export interface AnswerMessage {
  /** null for calls without a text before them. */
  readonly content: string | null;
  readonly toolCalls: readonly ToolCall[];
}

/** An answer as a message of a chat, with what it took. */
export interface ChatAnswer extends AnswerMessage {
  readonly finishReason: "stop" | "length" | "tool_calls";
  readonly answerTokens: number;
}

/** The chats of a language model. */
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
