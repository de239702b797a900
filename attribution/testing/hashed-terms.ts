/**
 * Turns a text into a vector of length 1 by hashing its words and pairs of words into buckets. row-content.ts turns texts
 * into inputs of classifiers by it.
 */
import { bucketOf, distinctTerms } from "../rows/text-terms.ts";

/** Ascending (bucket, value) pairs of a text, of length 1. */
export function hashedTerms(text: Uint8Array, bucketCount: number): [number, number][] {
  const terms = distinctTerms(text);
  const counts = new Map<number, number>();
  for (const term of terms) {
    const bucket = bucketOf(term, bucketCount);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  let squares = 0;
  for (const count of counts.values()) squares += count * count;
  const length = Math.sqrt(squares);
  return [...counts].sort(([a], [b]) => a - b).map(([bucket, count]) => [bucket, count / length]);
}
