/**
 * Exact search for similar texts: sets of word hashes compared by Jaccard similarity (0 to 1).
 * near-duplicates.ts finds copies with it, datanets/cleaning/ checks a contribution's rows.
 */
import { mix32 } from "../maths/seeded-random.ts";
import { ROW_RULES } from "./row-rules.ts";
import { wordsOf } from "./words.ts";

/**
 * A text's shingles as 32-bit hashes, ascending and different: each word, and each run of up to `shingleWords` words.
 * Words are those of words.ts.
 */
export function shinglesOf(text: Uint8Array, shingleWords: number = ROW_RULES.shingleWords): Uint32Array {
  const words = wordsOf(text, false);
  const shingles = new Set<number>();
  for (let first = 0; first < words.length; first++) {
    let hash = words[first]!;
    shingles.add(hash);
    for (let k = 1; k < shingleWords && first + k < words.length; k++) {
      hash = mix32(hash, words[first + k]!);
      shingles.add(hash);
    }
  }
  return Uint32Array.from(shingles).sort();
}

/** |A ∩ B| / |A ∪ B| of two ascending lists; two empty ones are equal. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i]! === b[j]!) {
      common += 1;
      i += 1;
      j += 1;
    } else if (a[i]! < b[j]!) i += 1;
    else j += 1;
  }
  const union = a.length + b.length - common;
  return union === 0 ? 1 : common / union;
}

/**
 * Finds, among the texts added so far, the one most similar to another, without missing any: two sets of Jaccard
 * similarity t share one of their first |A| − ⌈t |A|⌉ + 1 shingles in any common order (prefix filtering: Chaudhuri,
 * Ganti, Kaushik 2006; Bayardo, Ma, Srikant 2007). The order is rarest first, so that few texts share a prefix.
 *
 * MinHash with bands would be as fast but misses pairs, and public hash functions tell a copyist which words to change.
 */
export class TextIndex {
  readonly #shingles: readonly Uint32Array[];
  readonly #threshold: number;
  readonly #frequencies = new Map<number, number>();
  readonly #textsByShingle = new Map<number, number[]>();

  /** @param shingleWords 1: sets of words, whatever their order */
  constructor(texts: readonly Uint8Array[], threshold: number, shingleWords?: number) {
    this.#shingles = texts.map((text) => shinglesOf(text, shingleWords));
    this.#threshold = threshold;
    for (const shingles of this.#shingles) {
      for (const shingle of shingles)
        this.#frequencies.set(shingle, (this.#frequencies.get(shingle) ?? 0) + 1);
    }
  }

  add(index: number): void {
    for (const shingle of this.#prefix(index)) {
      const texts = this.#textsByShingle.get(shingle);
      if (texts === undefined) this.#textsByShingle.set(shingle, [index]);
      else texts.push(index);
    }
  }

  /** The added text of the highest similarity ≥ threshold, the first of equals; undefined if there is none. */
  maxSimilar(index: number): { earlier: number; similarity: number } | undefined {
    const own = this.#shingles[index]!;
    const seen = new Set<number>();
    let best: { earlier: number; similarity: number } | undefined;
    for (const shingle of this.#prefix(index)) {
      for (const earlier of this.#textsByShingle.get(shingle) ?? []) {
        if (seen.has(earlier)) continue;
        seen.add(earlier);
        const other = this.#shingles[earlier]!;
        // No more can be common than the shorter list has.
        const max = Math.min(own.length, other.length) / Math.max(own.length, other.length);
        if (max < this.#threshold) continue;
        const similarity = jaccard(own, other);
        if (similarity < this.#threshold) continue;
        const isBetter =
          best === undefined ||
          similarity > best.similarity ||
          (similarity === best.similarity && earlier < best.earlier);
        if (isBetter) best = { earlier, similarity };
      }
    }
    return best;
  }

  #prefix(index: number): number[] {
    const shingles = this.#shingles[index]!;
    const count = shingles.length - Math.ceil(this.#threshold * shingles.length) + 1;
    const frequency = (shingle: number) => this.#frequencies.get(shingle)!;
    return Array.from(shingles)
      .sort((a, b) => frequency(a) - frequency(b) || a - b)
      .slice(0, count);
  }
}
