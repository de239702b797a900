/**
 * Part of the base that each text gets: words are what a contributor brings, not rows. Direct models of texts pay by it
 * (model/direct/direct-training.ts); language models go by tokens.
 */
import { wordsOf } from "./words.ts";

/**
 * min(1, words ÷ median words) of each text, by its different words that some other text has, too. Attack: own texts cut into pieces, each paid the
 * base of a whole one, or filled up with invented words. 1 for all where the median is 0.
 */
export function termParts(texts: readonly Uint8Array[]): Float64Array {
  const words = texts.map((text) => new Set(wordsOf(text, false)));
  const textsWith = new Map<number, number>();
  for (const own of words) for (const word of own) textsWith.set(word, (textsWith.get(word) ?? 0) + 1);
  const counts = Float64Array.from(
    words,
    (own) => [...own].filter((word) => textsWith.get(word)! > 1).length,
  );
  const median = counts.slice().sort()[counts.length >> 1] ?? 0;
  return counts.map((count) => (median === 0 ? 1 : Math.min(1, count / median)));
}
