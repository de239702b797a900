/** Turns an answer's tokens into text while they come: make-answer.ts passes on what is certain. */
import type { TokenSpeller } from "../../engine/tokens/token-speller.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";

/** The text of tokens that come one by one, up to the first stop. Parts of it are never taken back. */
export class TokenText {
  readonly #spell: TokenSpeller;
  readonly #stops: readonly string[];
  /** Holds back bytes of a character whose others have not come. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Text that may be the start of a stop. */
  #held = "";
  #isStopped = false;
  #length = 0;

  constructor(tokens: Pick<TextTokens, "speller">, stops: readonly string[]) {
    this.#spell = tokens.speller();
    this.#stops = stops;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Number of characters that are certain, given out or not: the next token's text begins there. */
  get length(): number {
    return this.#length;
  }

  /** The text that is certain now. */
  push(token: number): string {
    if (this.#isStopped) return "";
    return this.#emit(this.#decoder.decode(this.#spell(token), { stream: true }));
  }

  /** The rest, when no more tokens come. */
  end(): string {
    if (this.#isStopped) return "";
    const text = this.#held + this.#decoder.decode();
    this.#held = "";
    const at = firstStop(text, this.#stops);
    this.#isStopped = at >= 0;
    return at < 0 ? text : text.slice(0, at);
  }

  #emit(more: string): string {
    this.#length += more.length;
    const text = this.#held + more;
    const at = firstStop(text, this.#stops);
    if (at >= 0) {
      this.#isStopped = true;
      this.#held = "";
      return text.slice(0, at);
    }
    const overlapLength = this.#stops.reduce((max, stop) => Math.max(max, overlap(text, stop)), 0);
    this.#held = text.slice(text.length - overlapLength);
    return text.slice(0, text.length - overlapLength);
  }
}

function firstStop(text: string, stops: readonly string[]): number {
  const locations = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return locations.length === 0 ? -1 : Math.min(...locations);
}

/** Characters at the end of the text that the stop begins with. */
function overlap(text: string, stop: string): number {
  for (let count = Math.min(text.length, stop.length - 1); count > 0; count--)
    if (text.endsWith(stop.slice(0, count))) return count;
  return 0;
}
