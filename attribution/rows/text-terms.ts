/**
 * Splits a text into terms, distinct words and pairs of neighbouring words (words.ts), hashed to 32 bits and to buckets: the inputs of
 * models of texts, in training and answering.
 */
import { mix32 } from "../maths/seeded-random.ts";
import { wordsOf } from "./words.ts";

/** Distinct terms in the order in which they first occur, a pair after its second word. */
export function distinctTerms(text: Uint8Array): Set<number> {
  const terms = new Set<number>();
  let previous = 0;
  for (const word of wordsOf(text, true)) {
    terms.add(word);
    if (previous !== 0) terms.add(mix32(previous, word));
    previous = word;
  }
  return terms;
}

/** Bucket of a term: 0 … bucketCount − 1. */
export const bucketOf = (term: number, bucketCount: number): number => mix32(0x5eed, term) % bucketCount;
