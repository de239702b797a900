/**
 * Turns the prompts of strangers into tokens without holding up the thread that serves HTTP. completion-service.ts
 * encodes every prompt by it.
 */
import { chatText, isShortChat } from "../../../engine/tokens/chat-text.ts";
import { maxTextBytes, type TextTokens } from "../../../engine/tokens/tokenizer.ts";
import { ClientGone } from "../make-answer.ts";
import { EncodingLane } from "./encoding-lane.ts";
import { promptTooLong, tooManyBytes } from "./prompt-limits.ts";
import type { DatedChat, EncodingSeat } from "./prompt-tasks.ts";

/** Maximum bytes of a text that is encoded on this thread: at most 5 ms, whatever is in it. */
const IMMEDIATE_BYTES = 512;
/** Maximum of a chat that is rendered on this thread. */
const IMMEDIATE_CHAT = { messages: 8, characters: IMMEDIATE_BYTES };
/** Maximum bytes of a text that has a thread which longer ones cannot keep busy: at most about 80 ms each. */
const SHORT_BYTES = 8_192;

/** Sender of a prompt, and whether the tokens are still needed. */
export interface PromptSender {
  /** A network, as foundation/http/client-network.ts counts them. */
  readonly address: string;
  readonly isWanted: () => boolean;
}

/**
 * Texts of strangers as tokens. Attack: a text is encoded before anybody knows how many tokens it has, at up to 10 µs a byte.
 * So one that cannot fit is refused by its bytes, and others are encoded on threads of their own.
 */
export class PromptEncoder {
  readonly #tokens: TextTokens;
  readonly #maxTokens: number;
  readonly #short: EncodingLane;
  readonly #long: EncodingLane;

  /** @param mostTokens of a prompt */
  constructor(tokens: TextTokens, seat: Omit<EncodingSeat, "maxBytes">, maxTokens: number) {
    this.#tokens = tokens;
    this.#maxTokens = maxTokens;
    const bounded = { ...seat, maxBytes: this.maxBytes };
    this.#short = new EncodingLane(bounded, { isWarm: tokens.longestBytes > 1, maxBytes: SHORT_BYTES });
    this.#long = new EncodingLane(bounded, { isWarm: false, maxBytes: this.maxBytes });
  }

  /** Maximum bytes of a prompt. */
  get maxBytes(): number {
    return maxTextBytes(this.#tokens, this.#maxTokens);
  }

  /**
   * @param param the request's field
   * @throws ClientGone; RollupError MOD_SERVE_PROMPT_TOO_LONG, SRV_OVERLOADED
   */
  async encode(text: string, param: string, sender: PromptSender): Promise<readonly number[]> {
    const byteCount = Buffer.byteLength(text);
    this.#requireBytes(byteCount, param);
    if (byteCount <= IMMEDIATE_BYTES) return this.#tokens.encode(text);
    return this.#encodeBeside(text, byteCount, param, sender);
  }

  /**
   * Renders a chat and encodes its text.
   * @throws as `encode`; RollupError MOD_CHAT_REFUSED
   */
  async encodeChat(prompt: DatedChat, sender: PromptSender): Promise<readonly number[]> {
    const { messages } = prompt.chat;
    const textBytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content ?? ""), 0);
    this.#requireBytes(textBytes, "messages");
    if (isShortChat(prompt.chat, IMMEDIATE_CHAT)) {
      const text = chatText(this.#tokens.chat(), prompt.chat, prompt.date);
      return this.encode(text, "messages", sender);
    }
    const byteCount = Buffer.byteLength(JSON.stringify(prompt.chat));
    return this.#encodeBeside(prompt, byteCount, "messages", sender);
  }

  #requireBytes(promptBytes: number, param: string): void {
    if (promptBytes > this.maxBytes) throw tooManyBytes(promptBytes, this.maxBytes, param);
  }

  async #encodeBeside(
    prompt: string | DatedChat,
    byteCount: number,
    param: string,
    { address, isWanted }: PromptSender,
  ): Promise<readonly number[]> {
    const lane = byteCount <= SHORT_BYTES ? this.#short : this.#long;
    const encoded = await lane.encode(address, prompt, byteCount, isWanted);
    if (encoded === null) throw new ClientGone();
    if (encoded.length > this.#maxTokens)
      throw promptTooLong(`it has ${encoded.length} tokens: there is room for ${this.#maxTokens}`, {
        param,
        promptTokens: encoded.length,
        max: this.#maxTokens,
      });
    return Array.from(encoded);
  }

  async close(): Promise<void> {
    await Promise.all([this.#short.close(), this.#long.close()]);
  }
}
