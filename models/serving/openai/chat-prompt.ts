/**
 * How chats of a base begin and end, as its template says. open-language.ts reads it once; prompts/ renders the chats.
 */
import { turnEndOf } from "../../engine/tokens/chat-text.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";

export interface ChatForm {
  /** Tokens that end an answer beside those of the base's files: the template's own mark. */
  readonly endTokens: readonly number[];
  /** True if the tokenizer's begin-of-text token stands before the text: a template writes it itself. */
  readonly hasBegin: boolean;
}

/** Form of the chats of a base. @throws RollupError MOD_FILE_INVALID for a template that is no Jinja */
export function chatForm(tokens: TextTokens): ChatForm {
  const template = tokens.chat();
  return { endTokens: turnEndOf(tokens), hasBegin: template === null };
}
