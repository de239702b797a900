/**
 * Full text of many rows in little memory: for each word the rows that have it, as differences in 7-bit groups. It knows
 * whole words and beginnings of words, and no order by relevance: rows come in the order in which they came here.
 */

/** Limits of a row's words: longer ones are cut, and this many different ones count. */
const MAX_WORD_LENGTH = 40;
const MAX_WORDS_A_ROW = 4_096;
const MAX_WORDS_A_QUERY = 16;
/** Maximum words that a beginning stands for. */
const MAX_EXPANSIONS = 1_000;

const WORD = /[\p{L}\p{N}]+/gu;

/** Different words of a text, in lower case. */
export function wordsOf(text: string, max = MAX_WORDS_A_ROW): Set<string> {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    words.add(word.slice(0, MAX_WORD_LENGTH));
    if (words.size === max) break;
  }
  return words;
}

class Postings {
  #bytes = new Uint8Array(8);
  #size = 0;
  #last = -1;
  /** Decoded rows, for words that are searched again, as long as memory is not short. */
  #decoded: WeakRef<Int32Array> | null = null;
  count = 0;

  add(row: number): void {
    let difference = row - this.#last;
    this.#last = row;
    this.count += 1;
    if (this.#size + 5 > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length + (this.#bytes.length >> 1) + 8);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    while (difference >= 0x80) {
      this.#bytes[this.#size++] = (difference & 0x7f) | 0x80;
      difference >>>= 7;
    }
    this.#bytes[this.#size++] = difference;
  }

  /** Row numbers. The caller must not write to the array. */
  rows(): Int32Array {
    const known = this.#decoded?.deref();
    if (known?.length === this.count) return known;
    const rows = new Int32Array(this.count);
    this.#decoded = new WeakRef(rows);
    let row = -1;
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      let difference = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = this.#bytes[at++]!;
        difference |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      row += difference;
      rows[i] = row;
    }
    return rows;
  }
}

export class TextSearch {
  /** Row numbers by word: for a word of one row the number itself, as for most words. */
  readonly #words = new Map<string, number | Postings>();

  get wordCount(): number {
    return this.#words.size;
  }

  /** Rows come ascending. */
  add(row: number, text: string): void {
    for (const word of wordsOf(text)) {
      const known = this.#words.get(word);
      if (known === undefined) this.#words.set(word, row);
      else if (typeof known === "number") {
        const postings = new Postings();
        postings.add(known);
        postings.add(row);
        this.#words.set(word, postings);
      } else known.add(row);
    }
  }

  /** Rows that have all of the query's words, ascending; the last one may be a beginning, as "attrib*". */
  find(query: string): Int32Array {
    const words = [...wordsOf(query, MAX_WORDS_A_QUERY)];
    if (words.length === 0) return new Int32Array(0);
    const isOpen = query.trimEnd().endsWith("*");
    const lists = words.map((word, i) =>
      isOpen && i === words.length - 1 ? this.#beginning(word) : this.#rowsOf(this.#words.get(word)),
    );
    return lists.sort((a, b) => a.length - b.length).reduce(common);
  }

  #rowsOf(known: number | Postings | undefined): Int32Array {
    if (known === undefined) return new Int32Array(0);
    return typeof known === "number" ? Int32Array.of(known) : known.rows();
  }

  #beginning(prefix: string): Int32Array {
    const rows = new Set<number>();
    let expansionCount = 0;
    for (const [word, known] of this.#words) {
      if (!word.startsWith(prefix)) continue;
      for (const row of this.#rowsOf(known)) rows.add(row);
      expansionCount += 1;
      if (expansionCount === MAX_EXPANSIONS) break;
    }
    return Int32Array.from(rows).sort();
  }
}

function common(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length);
  let size = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i]!;
    const y = b[j]!;
    if (x === y) {
      both[size++] = x;
      i += 1;
      j += 1;
    } else if (x < y) i += 1;
    else j += 1;
  }
  return both.slice(0, size);
}
