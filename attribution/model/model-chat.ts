/**
 * Interface of a language model's chats: messages and tools in OpenAI's form, and the text that a receipt binds. models/ implements
 * it, the client library asks by it.
 */

/** A call of a tool, in an assistant's message. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  /** Arguments are JSON, as OpenAI has them. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message in OpenAI's form, whose parts of text are joined. */
export interface TemplateMessage {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly content: string | null;
  /** Of a tool's result; elsewhere it has no effect. */
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

export interface TemplateChat {
  readonly messages: readonly TemplateMessage[];
  readonly tools?: readonly ChatTool[] | null | undefined;
}

/** An answer as a message. */
export interface AnswerMessage {
  /** null for calls without a text before them. */
  readonly content: string | null;
  readonly toolCalls: readonly ToolCall[];
}

/** The chats of a language model. */
export interface ModelChat {
  /** Canonical text of a chat: question and receipt bind it. @throws MOD_CHAT_REFUSED */
  promptOf(chat: TemplateChat): string;
  /** Number of tokens that the model reads of a text. */
  countTokens(text: string): number;
  /** Message of an answer. @param answer text that the receipt hashes @param tools of the chat */
  messageOf(
    answer: string,
    tools?: readonly ChatTool[],
  ): AnswerMessage & {
    readonly finishReason: "stop" | "length" | "tool_calls";
    readonly answerTokens: number;
  };
}
