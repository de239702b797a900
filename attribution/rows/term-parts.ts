/**
 * Part of a whole text that each text is, by its words: words are what a contributor brings, not rows. Direct models of texts weigh rows in
 * training and pay their base by it (model/direct/direct-training.ts); language models go by tokens.
 */
import { wordsOf } from "./words.ts";

/** Parts of texts among others. */
export interface TermParts {
  /** min(1, words ÷ median words) of each text, by its different words that some other text has, too; 1 for all where the median is 0. */
  readonly parts: Float64Array;
  /** Part of a text that is none of them. */
  partOf(text: Uint8Array): number;
  /** Weight of a part in the loss: their mean is 1. A text without such a word weighs as one of one. */
  weightOf(part: number): number;
}

/**
 * Measures texts by their words. Attack: own texts cut into pieces, each paid as a whole one, or filled up with invented words. The weights
 * of a text's pieces add up to the weight of the text, whatever their words count as: in buckets or by vectors.
 */
export function measureTerms(texts: readonly Uint8Array[]): TermParts {
  const words = texts.map((text) => new Set(wordsOf(text, false)));
  const textsWith = new Map<number, number>();
  for (const own of words) for (const word of own) textsWith.set(word, (textsWith.get(word) ?? 0) + 1);
  const sharedBy = (own: ReadonlySet<number>, min: number) =>
    [...own].filter((word) => (textsWith.get(word) ?? 0) >= min).length;
  const counts = Float64Array.from(words, (own) => sharedBy(own, 2));
  const median = counts.slice().sort()[counts.length >> 1] ?? 0;
  const partOf = (count: number) => (median === 0 ? 1 : Math.min(1, count / median));
  const parts = counts.map(partOf);
  const raised = (part: number) => Math.max(part, partOf(1));
  const mean = parts.reduce((sum, part) => sum + raised(part), 0) / parts.length;
  return {
    parts,
    partOf: (text) => partOf(sharedBy(new Set(wordsOf(text, false)), 1)),
    weightOf: (part) => raised(part) / mean,
  };
}

/** Parts of these texts by `measureTerms`. */
export const termParts = (texts: readonly Uint8Array[]): Float64Array => measureTerms(texts).parts;
