/**
 * Splits a text into terms, distinct words and pairs of neighbouring words, hashed to 32 bits (FNV-1a) and to buckets: the
 * inputs of direct models of texts, in training and answering.
 */
import { mix32 } from "../maths/seeded-random.ts";

/** FNV-1a of 32 bits: its prime and its offset basis. */
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** Distinct terms in the order in which they first occur, a pair after its second word. */
export function distinctTerms(text: Uint8Array): Set<number> {
  const terms = new Set<number>();
  let word = FNV_BASIS;
  let wordLength = 0;
  let previous = 0;
  const close = () => {
    if (wordLength > 0) {
      terms.add(word >>> 0);
      if (previous !== 0) terms.add(mix32(previous, word));
      previous = word;
    }
    word = FNV_BASIS;
    wordLength = 0;
  };
  for (const byte of text) {
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    // Letters, digits, $ and !.
    if ((lower >= 97 && lower <= 122) || (lower >= 48 && lower <= 57) || lower === 36 || lower === 33) {
      word = Math.imul(word ^ lower, FNV_PRIME);
      wordLength += 1;
    } else close();
  }
  close();
  return terms;
}

/** Bucket of a term: 0 … bucketCount − 1. */
export const bucketOf = (term: number, bucketCount: number): number => mix32(0x5eed, term) % bucketCount;

/** The buckets of a text's different terms, in their order. @param text UTF-8 */
export function termBuckets(text: Uint8Array, bucketCount: number): number[] {
  return Array.from(distinctTerms(text), (term) => bucketOf(term, bucketCount));
}
