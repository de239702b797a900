/**
 * Turns the messages of a chat into the text of a prompt, as the base was trained to read it. completion-service.ts
 * uses the form that open-language.ts has chosen.
 */
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";
import { type ChatMessage, invalidRequest } from "./openai-requests.ts";

export interface ChatForm {
  /** The text that is encoded. @throws RollupError SRV_BAD_REQUEST for marks of the form inside a message */
  promptOf(messages: readonly ChatMessage[]): string;
  /** Texts that end an answer. */
  readonly stops: readonly string[];
  /** Tokens that end an answer: a mark is no text, so no stop finds it. */
  readonly endTokens: readonly number[];
  /** True if the tokenizer's begin-of-text token stands before the prompt. */
  readonly hasBegin: boolean;
}

const [BEGIN, END] = ["<|im_start|>", "<|im_end|>"];

/**
 * Chooses ChatML if the tokenizer has its marks, as in Qwen and SmolLM2; otherwise a line for each message.
 *
 * @param template of the base's own: a template says itself whether a text begins with the begin-of-text token
 */
export function chatForm(tokens: TextTokens, template: string | null): ChatForm {
  const [begin, end] = [BEGIN, END].map((mark) => tokens.encode(mark));
  if (begin!.length !== 1 || end!.length !== 1) {
    return {
      promptOf: (messages) =>
        [...messages.map(({ content, role }) => `${role}: ${content}`), "assistant:"].join("\n"),
      stops: ["\nuser:"],
      endTokens: [],
      hasBegin: true,
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
    endTokens: end!,
    hasBegin: template === null || writesBegin(tokens, template),
  };
}

const writesBegin = ({ begin, bytesOf }: TextTokens, template: string): boolean =>
  template.includes("bos_token") ||
  template.includes(begin.map((token) => new TextDecoder().decode(bytesOf(token))).join(""));
