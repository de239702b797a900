/** Texts as counts: each different word and pair of words counts once, in the bucket that it is hashed to. */
import { bucketOf, termBuckets } from "../rows/text-terms.ts";
import { MAX_COUNT } from "./input-counter.ts";

/** Counts a text's terms, up to `max` together. @param text UTF-8 */
export function countText(text: Uint8Array, buckets: number, max: number): Uint8Array {
  const counts = new Uint8Array(buckets);
  let total = 0;
  for (const bucket of termBuckets(text, buckets)) {
    if (counts[bucket]! === MAX_COUNT || total === max) continue;
    counts[bucket] = counts[bucket]! + 1;
    total += 1;
  }
  // A text without words, "?!" in brackets or a smile of dots, is no prompt without a count.
  if (total === 0) counts[bucketOf(0, buckets)] = 1;
  return counts;
}
