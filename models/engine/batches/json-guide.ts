/**
 * Constrained decoding: holds an answer to JSON of a shape (json-text.ts). batch-loop.ts asks it for each token of a request
 * with a response format. Costs are counted in bytes, each of which a token can spell.
 */
import { isEnded, type JsonPosition, type JsonShape, jsonStart } from "./json-text.ts";

/** Spelling of a base's tokens, in memory that threads share. */
export interface SpelledVocabulary {
  readonly bytes: Uint8Array;
  /** Ends of the tokens' bytes; each token's bytes begin where those before it end. */
  readonly ends: Uint32Array;
  /** Tokens that a text may have, by their bytes. */
  readonly order: Uint32Array;
}

/** Cost of a token that may not follow: the largest int32. */
const NEVER = 0x7fffffff;

/** Cost of each token that may follow: the bytes that would then end what is open. A byte is a token at most. */
export interface TokenCosts {
  readonly costs: Int32Array;
  /** Maximum cost of a token that may follow. */
  readonly max: number;
}

/**
 * Keeps an answer to JSON of a shape, and to its number of tokens: near the end only tokens are left that end it in time.
 * Every byte has to be a token, so there is always one.
 */
export class JsonGuide {
  readonly #spelled: SpelledVocabulary;
  readonly #costs: Int32Array;
  #position: JsonPosition;
  /** Place to which the costs belong. */
  #costsOf: JsonPosition | null = null;
  #isCut = false;

  constructor(spelled: SpelledVocabulary, shape: JsonShape) {
    this.#spelled = spelled;
    this.#costs = new Int32Array(spelled.ends.length).fill(NEVER);
    this.#position = jsonStart(shape);
  }

  /**
   * The next token. Where the one that is chosen leaves too few tokens to end, another is chosen among those that do not.
   *
   * @param left tokens that the answer may still have, this one included
   */
  choose(left: number, choose: (among: TokenCosts) => number): number {
    if (this.#costsOf !== this.#position) this.#price();
    let token = choose({ costs: this.#costs, max: NEVER - 1 });
    if (this.#costs[token]! > left - 1) {
      this.#isCut = true;
      token = choose({ costs: this.#costs, max: left - 1 });
    }
    const { bytes, ends } = this.#spelled;
    for (let i = token === 0 ? 0 : ends[token - 1]!; i < ends[token]!; i++)
      this.#position = this.#position.rule.next(this.#position, bytes[i]!)!;
    return token;
  }

  /** null before the end; then whether the model or the number of tokens has brought it about. */
  get end(): "stop" | "length" | null {
    if (!isEnded(this.#position)) return null;
    return this.#isCut ? "length" : "stop";
  }

  /**
   * Walks the tokens in the order of their bytes, so that bytes shared with the token before are not looked at again.
   */
  #price(): void {
    const { bytes, ends, order } = this.#spelled;
    const offsets: JsonPosition[] = [this.#position];
    let alive = 0;
    let [before, beforeEnd] = [0, 0];
    for (const token of order) {
      const [from, end] = [token === 0 ? 0 : ends[token - 1]!, ends[token]!];
      let same = 0;
      while (from + same < end && before + same < beforeEnd && bytes[from + same] === bytes[before + same])
        same++;
      [before, beforeEnd] = [from, end];
      this.#costs[token] = NEVER;
      // It goes on as one did that may not follow.
      if (same > alive) continue;
      alive = same;
      for (; from + alive < end; alive++) {
        const next = offsets[alive]!.rule.next(offsets[alive]!, bytes[from + alive]!);
        if (next === null) break;
        offsets[alive + 1] = next;
      }
      if (from + alive === end) this.#costs[token] = offsets[alive]!.rest;
    }
    this.#costsOf = this.#position;
  }
}
