/**
 * Texts as counts: each different word and pair of words counts once, in the bucket that it is hashed to. Of long texts words count alone,
 * up to three times each: their pairs would fill the buckets, and how often a word comes says more.
 * The words of most rows have a bucket each, the others share the rest.
 */
import { bucketOf, distinctTerms } from "../rows/text-terms.ts";
import { wordsOf } from "../rows/words.ts";
import { MAX_COUNT } from "./input-counter.ts";
import type { TextInputs } from "./model-inputs.ts";

interface TextRoom {
  readonly buckets: number;
  readonly maxTerms: number;
}

/** Counts texts, UTF-8, up to `maxTerms` together. */
export function textCounter(
  { words }: Pick<TextInputs, "words">,
  { buckets, maxTerms }: TextRoom,
): (text: Uint8Array) => Uint8Array {
  const own = new Map(words?.map((word, place) => [word, place]));
  const bucketOfTerm = (term: number) => own.get(term) ?? own.size + bucketOf(term, buckets - own.size);
  return (text) => {
    const counts = new Uint8Array(buckets);
    let total = 0;
    for (const term of words === undefined ? distinctTerms(text) : repeatedWords(text)) {
      const bucket = bucketOfTerm(term);
      if (counts[bucket]! === MAX_COUNT || total === maxTerms) continue;
      counts[bucket] = counts[bucket]! + 1;
      total += 1;
    }
    // A text without words, "?!" in brackets or a smile of dots, is no prompt without a count.
    if (total === 0) counts[bucketOfTerm(0)] = 1;
    return counts;
  };
}

/** Words in their order, each as often as a bucket counts at most. */
function repeatedWords(text: Uint8Array): number[] {
  const seen = new Map<number, number>();
  return [...wordsOf(text, true)].filter((word) => {
    const count = (seen.get(word) ?? 0) + 1;
    seen.set(word, count);
    return count <= MAX_COUNT;
  });
}
