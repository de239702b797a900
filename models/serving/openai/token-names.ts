/**
 * Names of tokens as OpenAI's API reports them beside probabilities. completion-service.ts and openai-answers.ts use
 * them.
 */
import type { TokenLogprob } from "../../engine/batches/choose-token.ts";
import type { SpelledVocabulary } from "../../engine/batches/json-guide.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";

export interface NamedToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: number[];
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Names of tokens as in OpenAI's API: their text, or their bytes if they are no text. */
export class TokenNames {
  readonly #tokens: TextTokens;
  readonly #spelled: SpelledVocabulary | null;

  constructor(tokens: TextTokens, spelled: SpelledVocabulary | null) {
    this.#tokens = tokens;
    this.#spelled = spelled;
  }

  named({ logprob, token }: TokenLogprob): NamedToken {
    const bytes = this.#bytesOf(token);
    return { token: nameOf(bytes), logprob, bytes: [...bytes] };
  }

  /** Text to which JSON is held: that of the bytes alone, whatever a tokenizer's decoder would make of it. */
  get spelling(): Pick<TextTokens, "speller"> {
    return { speller: () => (token) => this.#bytesOf(token) };
  }

  #bytesOf(token: number): Uint8Array {
    const { bytes, ends } = this.#spelled ?? { bytes: new Uint8Array(), ends: new Uint32Array() };
    const spelled = bytes.subarray(token === 0 ? 0 : ends[token - 1], ends[token] ?? 0);
    return spelled.length > 0 ? spelled : this.#tokens.bytesOf(token);
  }
}

function nameOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
  }
}
