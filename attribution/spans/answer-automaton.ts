/**
 * Suffix automaton of an answer: reads rows byte after byte, and knows at each how much of what it has just read occurs in the answer.
 * verbatim-spans.ts finds spans by it. Blumer et al., "The smallest automaton recognizing the subwords of a text" (1985).
 *
 * A state stands for parts of the answer that end at the same positions; `#length` is that of its longest part, `#link` the state of the
 * longest part that ends at more places. Attack: rows and an answer that repeat themselves. A byte costs a step whatever they hold.
 */

interface Part {
  readonly start: number;
  readonly end: number;
}

interface Counted extends Part {
  rowCount: number;
  readonly sources: { row: number; offset: number }[];
}

export class AnswerAutomaton {
  readonly #minBytes: number;
  readonly #classCount: number;
  /** Class of each byte, from 1 on; 0 for bytes that the answer does not have. */
  readonly #classes = new Uint16Array(256);
  /** States by state and class; 0, which no byte leads to, for none. */
  readonly #next: Uint16Array;
  readonly #link: Int32Array;
  readonly #length: Int32Array;
  /** States by ascending length. */
  readonly #order: Int32Array;
  /** State of the answer's first n bytes. */
  readonly #prefixes: Int32Array;
  /** Length of the longest part of each state that a row has; 0: none of at least the minimum. */
  readonly #longest: Int32Array;

  /** @param answer at most 32,768 bytes, so that 16 bits number the states */
  constructor(answer: Uint8Array, minBytes: number) {
    this.#minBytes = minBytes;
    let classCount = 0;
    for (const byte of answer) if (this.#classes[byte] === 0) this.#classes[byte] = ++classCount;
    this.#classCount = classCount + 1;
    const max = 2 * answer.length + 1;
    this.#next = new Uint16Array(max * this.#classCount);
    this.#link = new Int32Array(max).fill(-1);
    this.#length = new Int32Array(max);
    this.#prefixes = new Int32Array(answer.length + 1);
    let count = 1;
    for (const [i, byte] of answer.entries()) count = this.#append(i, this.#classes[byte]!, count);
    this.#longest = new Int32Array(count);
    this.#order = Int32Array.from({ length: count }, (_, state) => state).sort(
      (a, b) => this.#length[a]! - this.#length[b]!,
    );
  }

  #append(at: number, letter: number, stateCount: number): number {
    const [next, link, length, width] = [this.#next, this.#link, this.#length, this.#classCount];
    const state = stateCount;
    this.#prefixes[at + 1] = state;
    length[state] = at + 1;
    let from = this.#prefixes[at]!;
    for (; from >= 0 && next[from * width + letter] === 0; from = link[from]!)
      next[from * width + letter] = state;
    if (from < 0) {
      link[state] = 0;
      return stateCount + 1;
    }
    const known = next[from * width + letter]!;
    if (length[known] === length[from]! + 1) {
      link[state] = known;
      return stateCount + 1;
    }
    // The longer parts of `known` end at fewer places from now on: its shorter parts become a state of their own.
    const split = stateCount + 1;
    next.copyWithin(split * width, known * width, (known + 1) * width);
    length[split] = length[from]! + 1;
    link[split] = link[known]!;
    for (; from >= 0 && next[from * width + letter] === known; from = link[from]!)
      next[from * width + letter] = split;
    link[known] = split;
    link[state] = split;
    return stateCount + 2;
  }

  /** Reads a row. @returns true if it has a part of the answer of the minimum length */
  read(row: Uint8Array): boolean {
    const longest = this.#longest;
    let hasPart = false;
    this.#walk(row, (state, length) => {
      hasPart = true;
      if (length > longest[state]!) longest[state] = length;
    });
    return hasPart;
  }

  /**
   * Parts of the answer that the rows read so far have, none inside another, from left to right: starts and ends both rise. They are
   * of whole bytes, and may end within a character.
   */
  matches(): Part[] {
    const [length, link, longest] = [this.#length, this.#link, this.#longest.slice()];
    // A row that has a part has its ends, too.
    for (const state of this.#order.toReversed())
      if (longest[state]! > 0 && length[link[state]!]! >= this.#minBytes)
        longest[link[state]!] = length[link[state]!]!;
    for (const state of this.#order)
      if (state > 0 && longest[state] === 0) longest[state] = longest[link[state]!]!;
    const ends = this.#prefixes.map((state) => longest[state]!);
    const matches: Part[] = [];
    // One that goes on is inside the next.
    for (const [end, size] of ends.entries())
      if (size > 0 && ends[end + 1] !== size + 1) matches.push({ start: end - size, end });
    return matches;
  }

  /** Counts the rows that have these parts of the answer, each at least of the minimum length. */
  counter(parts: readonly Part[], maxSources: number) {
    const counted = parts.map((part): Counted => ({ ...part, rowCount: 0, sources: [] }));
    /** Parts by their states. */
    const atState = new Map<number, Counted[]>();
    for (const part of counted) {
      const state = this.#stateOf(part);
      atState.set(state, [...(atState.get(state) ?? []), part]);
    }
    /** The nearest state with such parts, from each state on along its links; 0 for none. */
    const nearest = new Int32Array(this.#longest.length);
    for (const state of this.#order)
      if (state > 0) nearest[state] = atState.has(state) ? state : nearest[this.#link[state]!]!;
    return {
      read: (row: number, text: Uint8Array) => {
        const seen = new Set<Counted>();
        this.#walk(text, (state, length, end) => {
          for (let at = nearest[state]!; at > 0; at = nearest[this.#link[at]!]!)
            for (const part of atState.get(at)!) {
              const size = part.end - part.start;
              if (seen.has(part) || (at === state && size > length)) continue;
              seen.add(part);
              part.rowCount += 1;
              if (part.sources.length < maxSources) part.sources.push({ row, offset: end - size });
            }
        });
      },
      parts: (): readonly Counted[] => counted,
    };
  }

  #stateOf({ end, start }: Part): number {
    let state = this.#prefixes[end]!;
    while (this.#length[this.#link[state]!]! >= end - start) state = this.#link[state]!;
    return state;
  }

  /** Visits each position of a row at which a part of the minimum length ends, with the longest such part. */
  #walk(row: Uint8Array, visit: (state: number, length: number, end: number) => void): void {
    const [classes, lengths, link, next, width] = [
      this.#classes,
      this.#length,
      this.#link,
      this.#next,
      this.#classCount,
    ];
    let state = 0;
    let length = 0;
    for (let i = 0; i < row.length; i++) {
      const letter = classes[row[i]!]!;
      let to = next[state * width + letter]!;
      while (to === 0 && state !== 0) {
        state = link[state]!;
        length = lengths[state]!;
        to = next[state * width + letter]!;
      }
      state = to;
      length = to === 0 ? 0 : length + 1;
      if (length >= this.#minBytes) visit(state, length, i + 1);
    }
  }
}
