import type { TextTokens } from "../tokens/tokenizer.ts";

/** A character has at most so many tokens. What waits longer is no text, and is given out as replacement characters. */
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
  #length = 0;

  constructor(tokens: TextTokens, stops: readonly string[]) {
    this.#tokens = tokens;
    this.#stops = stops;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Characters that are certain, given out or not: where the next token's text begins. */
  get length(): number {
    return this.#length;
  }

  /** The text that is certain now. */
  push(token: number): string {
    if (this.#isStopped) return "";
    this.#waiting.push(token);
    const text = this.#textOf(this.#waiting);
    // The last bytes may be half a character.
    if (text.endsWith(REPLACEMENT)) return this.#emit(this.#settled(text));
    this.#before = this.#waiting;
    this.#waiting = [];
    return this.#emit(text);
  }

  /** The rest, when no more tokens come. */
  end(): string {
    if (this.#isStopped) return "";
    const text = this.#held + this.#textOf(this.#waiting);
    this.#held = "";
    this.#waiting = [];
    const at = firstStop(text, this.#stops);
    this.#isStopped = at >= 0;
    return at < 0 ? text : text.slice(0, at);
  }

  /** Of what waits too long for a character, the text that no later token can change: more text follows it already. */
  #settled(text: string): string {
    if (this.#waiting.length < MAX_HELD_TOKENS) return "";
    for (let count = this.#waiting.length - 1; count > 0; count--) {
      const first = this.#waiting.slice(0, count);
      const settled = this.#textOf(first);
      if (settled.length === text.length || !text.startsWith(settled)) continue;
      // Bytes that are no text may belong to those before them.
      this.#before = [...this.#before, ...first];
      this.#waiting = this.#waiting.slice(count);
      return settled;
    }
    return "";
  }

  #textOf(tokens: readonly number[]): string {
    const before = this.#tokens.decode(this.#before);
    return this.#tokens.decode([...this.#before, ...tokens]).slice(before.length);
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
    const kept = this.#stops.reduce((max, stop) => Math.max(max, overlap(text, stop)), 0);
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
