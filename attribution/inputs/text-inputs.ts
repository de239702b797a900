/**
 * Counts a text's features, the inputs of classifiers. open-inputs.ts calls it. A recipe chooses one of two ways:
 *
 * - Without `words`, for short texts: each distinct word and pair of neighbouring words counts once, in the bucket of its hash.
 * - With `words`, for long texts, whose pairs would fill the buckets: single words count, up to three times each. `own` words have a
 *   bucket each, `shared` words share the other buckets. A word in neither list is hashed to the other buckets if the recipe has no
 *   `shared`, and does not count if it has.
 */
import { bucketOf, distinctTerms } from "../rows/text-terms.ts";
import { wordsOf } from "../rows/words.ts";
import { MAX_COUNT } from "./input-counter.ts";
import { NO_WORD_BUCKETS, type TextInputs } from "./model-inputs.ts";

interface TextRoom {
  readonly buckets: number;
  readonly maxTerms: number;
}

/** Returns a counter of UTF-8 texts, which stops at `maxTerms` counts a text. */
export function textCounter(
  { words }: Pick<TextInputs, "words">,
  { buckets, maxTerms }: TextRoom,
): (text: Uint8Array) => Uint8Array {
  const { bucketOfNoWord, bucketsOf } =
    words === undefined ? bucketsOfTerms(buckets) : bucketsOfWords(words, buckets);
  return (text) => {
    const counts = new Uint8Array(buckets);
    let total = 0;
    for (const bucket of bucketsOf(text)) {
      if (counts[bucket]! === MAX_COUNT || total === maxTerms) continue;
      counts[bucket] = counts[bucket]! + 1;
      total += 1;
    }
    // A prompt needs a count, also a text without a word, such as "?!".
    if (total === 0) counts[bucketOfNoWord] = 1;
    return counts;
  };
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
function bucketsOfWords({ own, shared }: NonNullable<TextInputs["words"]>, buckets: number): TextBuckets {
  const from = own.length;
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
        yield bucket;
      }
    },
    bucketOfNoWord: shared === undefined ? hashed(0) : buckets - 1,
  };
}
