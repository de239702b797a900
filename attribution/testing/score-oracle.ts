/** References for scores, by their definition: tests compare every implementation with them. */
import type { QuantisedFeatures, QuantisedQuery } from "../features/quantise.ts";
import type { ScoreInputs } from "../scores/integer-scores.ts";

/** s = G q in bigints, by the definition: the reference of every other implementation. */
export function scoresByDefinition({ features, rowCount, featureCount, query }: ScoreInputs): bigint[] {
  return Array.from({ length: rowCount }, (_, i) => {
    let score = 0n;
    for (let j = 0; j < featureCount; j++) {
      score += BigInt(features[i * featureCount + j]!) * BigInt(query[j]!);
    }
    return score;
  });
}

/**
 * Maximum distance between the integer score of a row, times both scales, and the score of the real numbers. A feature is
 * off by at most ½ unit and a query entry by at most 1, so |Δs| ≤ Σ (½ |q| + |g| + ½) units, with q and g the integers.
 */
export function scoreErrorBound(features: QuantisedFeatures, row: number, query: QuantisedQuery): number {
  let units = 0;
  for (let j = 0; j < features.featureCount; j++) {
    const g = features.values[row * features.featureCount + j]!;
    units += 0.5 * Math.abs(query.values[j]!) + Math.abs(g) + 0.5;
  }
  return units * features.scale * query.scale;
}
