/**
 * Texts as counts: each different word and pair of words counts once, in the bucket that it is hashed to. Of long texts words count alone,
 * up to three times each: their pairs would fill the buckets, and how often a word comes says more. Some words have a bucket each, and of
 * many labels words that the recipe does not list count nothing.
 */
import { bucketOf, distinctTerms } from "../rows/text-terms.ts";
import { wordsOf } from "../rows/words.ts";
import { MAX_COUNT } from "./input-counter.ts";
import { NO_WORD_BUCKETS, type TextInputs } from "./model-inputs.ts";

interface TextRoom {
  readonly buckets: number;
  readonly maxTerms: number;
}

/** Counts texts, UTF-8, up to `maxTerms` together. */
export function textCounter(
  { words }: Pick<TextInputs, "words">,
  { buckets, maxTerms }: TextRoom,
): (text: Uint8Array) => Uint8Array {
  const { bucketOfNone, bucketsOf } =
    words === undefined ? bucketsOfTerms(buckets) : bucketsOfWords(words, buckets);
  return (text) => {
    const counts = new Uint8Array(buckets);
    let total = 0;
    for (const bucket of bucketsOf(text)) {
      if (counts[bucket]! === MAX_COUNT || total === maxTerms) continue;
      counts[bucket] = counts[bucket]! + 1;
      total += 1;
    }
    // A text without words, "?!" in brackets or a smile of dots, is no prompt without a count.
    if (total === 0) counts[bucketOfNone] = 1;
    return counts;
  };
}

interface TextBuckets {
  /** Buckets of what counts in a text, in its order. */
  bucketsOf(text: Uint8Array): Iterable<number>;
  /** Bucket of a text in which nothing counts. */
  readonly bucketOfNone: number;
}

function bucketsOfTerms(buckets: number): TextBuckets {
  return {
    *bucketsOf(text) {
      for (const term of distinctTerms(text)) yield bucketOf(term, buckets);
    },
    bucketOfNone: bucketOf(0, buckets),
  };
}

/** Words of their own come first. Listed ones share the buckets behind in turn, so that each has as many; else the others are hashed. */
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
    bucketOfNone: shared === undefined ? hashed(0) : buckets - 1,
  };
}
