import type { TextTokens } from "../tokens/tokenizer.ts";

/** A character has at most so many tokens: what is no text after them is given out as it is. */
const MAX_HELD_TOKENS = 8;
const REPLACEMENT = "\ufffd";

/** The text of tokens that come one by one, up to the first stop. Parts of it are never taken back. */
export class TokenText {
  readonly #tokens: TextTokens;
  readonly #stops: readonly string[];
  /** Tokens whose text is given out, as the tokenizer needs them before the next ones; then those that wait. */
  #before: number[] = [];
  #waiting: number[] = [];
  /** Text that may be the start of a stop. */
  #held = "";
  #isStopped = false;

  constructor(tokens: TextTokens, stops: readonly string[]) {
    this.#tokens = tokens;
    this.#stops = stops;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The text that is certain now. */
  push(token: number): string {
    if (this.#isStopped) return "";
    this.#waiting.push(token);
    const text = this.#textOfWaiting();
    // The last bytes may be half a character.
    if (text.endsWith(REPLACEMENT) && this.#waiting.length < MAX_HELD_TOKENS) return "";
    this.#before = text.endsWith(REPLACEMENT) ? [] : this.#waiting;
    this.#waiting = [];
    return this.#emit(text);
  }

  /** The rest, when no more tokens come. */
  end(): string {
    if (this.#isStopped) return "";
    const text = this.#held + this.#textOfWaiting();
    this.#held = "";
    this.#waiting = [];
    const at = firstStop(text, this.#stops);
    this.#isStopped = at >= 0;
    return at < 0 ? text : text.slice(0, at);
  }

  #textOfWaiting(): string {
    const before = this.#tokens.decode(this.#before);
    return this.#tokens.decode([...this.#before, ...this.#waiting]).slice(before.length);
  }

  #emit(more: string): string {
    const text = this.#held + more;
    const at = firstStop(text, this.#stops);
    if (at >= 0) {
      this.#isStopped = true;
      this.#held = "";
      return text.slice(0, at);
    }
    const kept = this.#stops.reduce((most, stop) => Math.max(most, overlap(text, stop)), 0);
    this.#held = text.slice(text.length - kept);
    return text.slice(0, text.length - kept);
  }
}

function firstStop(text: string, stops: readonly string[]): number {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return places.length === 0 ? -1 : Math.min(...places);
}

/** Characters at the end of the text that the stop begins with. */
function overlap(text: string, stop: string): number {
  for (let count = Math.min(text.length, stop.length - 1); count > 0; count--)
    if (text.endsWith(stop.slice(0, count))) return count;
  return 0;
}
