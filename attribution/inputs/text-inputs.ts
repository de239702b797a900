/**
 * Counts a text's features, the inputs of classifiers. open-inputs.ts calls it. A recipe chooses one of two ways, and vectors in front
 * of them or in their place:
 *
 * - Without `words`, for short texts: each distinct word and pair of neighbouring words counts once, in the bucket of its hash.
 * - With `words`, for long texts, whose pairs would fill the buckets: single words count, up to three times each. `own` words have a
 *   bucket each, `shared` words share the other buckets. A word in neither list is hashed to the other buckets if the recipe has no
 *   `shared`, and does not count if it has. With `idf` rare ones of `own` count two or three times as much.
 * - With `vectors`, each digit of the text (text-vectors.ts) counts in the bucket of its component and sign, and words behind them,
 *   `wordCount` times.
 */
import { bucketOf, distinctTerms } from "../rows/text-terms.ts";
import { wordsOf } from "../rows/words.ts";
import { MAX_COUNT } from "./input-counter.ts";
import { NO_WORD_BUCKETS, type TextInputs } from "./model-inputs.ts";
import { maxVectorTerms, type TextVectors, vectorBuckets } from "./text-vectors.ts";

interface TextRoom {
  readonly buckets: number;
  readonly maxTerms: number;
}

/**
 * Returns a counter of UTF-8 texts, which stops at `maxTerms` counts a text.
 * @param vectors those that the inputs name; null where they name none
 */
export function textCounter(
  { wordCount = 1, words }: Pick<TextInputs, "wordCount" | "words">,
  { buckets, maxTerms }: TextRoom,
  vectors: TextVectors | null,
): (text: Uint8Array) => Uint8Array {
  const from = vectors === null ? 0 : vectorBuckets(vectors.dimensions);
  const forWords = maxTerms - (vectors === null ? 0 : maxVectorTerms(vectors.dimensions));
  const { bucketOfNoWord, bucketsOf } = wordBuckets({ wordCount, words }, buckets - from);
  return (text) => {
    const counts = new Uint8Array(buckets);
    let total = 0;
    for (const [j, digit] of (vectors?.digitsOf(text) ?? []).entries()) {
      if (digit === 0) continue;
      counts[2 * j + (digit > 0 ? 0 : 1)] = Math.abs(digit);
      total += Math.abs(digit);
    }
    const last = total + forWords;
    for (const bucket of bucketsOf(text)) {
      const count = counts[from + bucket]!;
      const more = Math.min(wordCount, MAX_COUNT - count, last - total);
      counts[from + bucket] = count + more;
      total += more;
    }
    // A prompt needs a count, also a text without a word, such as "?!".
    if (total === 0) counts[from + bucketOfNoWord] = 1;
    return counts;
  };
}

/** Buckets of the inputs' words, behind those of vectors. */
function wordBuckets(
  { wordCount, words }: Pick<TextInputs, "wordCount" | "words">,
  buckets: number,
): TextBuckets {
  if (wordCount === 0) return { bucketsOf: () => [], bucketOfNoWord: 0 };
  return words === undefined ? bucketsOfTerms(buckets) : bucketsOfWords(words, buckets);
}

interface TextBuckets {
  /** Bucket of each counted word or pair, in the text's order. */
  bucketsOf(text: Uint8Array): Iterable<number>;
  /** Bucket of a text in which nothing counts. */
  readonly bucketOfNoWord: number;
}

function bucketsOfTerms(buckets: number): TextBuckets {
  return {
    *bucketsOf(text) {
      for (const term of distinctTerms(text)) yield bucketOf(term, buckets);
    },
    bucketOfNoWord: bucketOf(0, buckets),
  };
}

/**
 * Buckets of single words: first one for each `own` word, then those of `shared` words, which are dealt out in turn, so that each
 * bucket has equally many. Without `shared`, all other words are hashed to these.
 */
function bucketsOfWords(
  { idf, own, shared }: NonNullable<TextInputs["words"]>,
  buckets: number,
): TextBuckets {
  const from = own.length;
  const { thriceFrom, twiceFrom } = idf ?? { twiceFrom: from, thriceFrom: from };
  const timesOf = (bucket: number) =>
    bucket >= from || bucket < twiceFrom ? 1 : bucket < thriceFrom ? 2 : 3;
  const hashed = (word: number) => from + bucketOf(word, buckets - from);
  const bucketOfWord = new Map(own.map((word, position) => [word, position]));
  for (const [position, word] of (shared ?? []).entries())
    bucketOfWord.set(word, from + (position % (buckets - from - NO_WORD_BUCKETS)));
  return {
    *bucketsOf(text) {
      const seen = new Map<number, number>();
      for (const word of wordsOf(text, true)) {
        const bucket = bucketOfWord.get(word) ?? (shared === undefined ? hashed(word) : null);
        const count = seen.get(word) ?? 0;
        if (bucket === null || count === MAX_COUNT) continue;
        seen.set(word, count + 1);
        for (let time = timesOf(bucket); time > 0; time--) yield bucket;
      }
    },
    bucketOfNoWord: shared === undefined ? hashed(0) : buckets - 1,
  };
}
