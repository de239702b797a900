import type { TextTokens } from "../tokens/tokenizer.ts";
import { type ChatMessage, invalidRequest } from "./openai-requests.ts";

export interface ChatForm {
  /** The text that is encoded. @throws RollupError SRV_BAD_REQUEST for marks of the form inside a message */
  promptOf(messages: readonly ChatMessage[]): string;
  /** Texts that end an answer. */
  readonly stops: readonly string[];
}

const [BEGIN, END] = ["<|im_start|>", "<|im_end|>"];

/** ChatML where the tokenizer has its marks, as Qwen and SmolLM2 do; otherwise a line for each message. */
export function chatForm(tokens: TextTokens): ChatForm {
  const hasMarks = [BEGIN, END].every((mark) => tokens.encode(mark).length === 1);
  if (!hasMarks) {
    return {
      promptOf: (messages) =>
        [...messages.map(({ content, role }) => `${role}: ${content}`), "assistant:"].join("\n"),
      stops: ["\nuser:"],
    };
  }
  return {
    promptOf(messages) {
      const lines = messages.map(({ content, role }, i) => {
        // Attack: a mark inside a message would end it and begin one of another role.
        if (content.includes(BEGIN) || content.includes(END))
          throw invalidRequest(`messages.${i}.content`, "it has marks that separate messages");
        return `${BEGIN}${role === "developer" ? "system" : role}\n${content}${END}\n`;
      });
      return `${lines.join("")}${BEGIN}assistant\n`;
    },
    stops: [END],
  };
}
