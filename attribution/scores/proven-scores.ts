import { type FeatureMap, type FeatureOptions, featureMap } from "../features/feature-map.ts";
import {
  type QuantisedFeatures,
  type QuantisedQuery,
  quantiseFeatures,
  quantiseQuery,
} from "../features/quantise.ts";
import type { Sensitivities } from "../features/sensitivities.ts";
import { integerScores } from "./integer-scores.ts";

/** What a model registers: the map that turns gradients into features, and the rows' features as int8. */
export interface ProvenFeatures {
  readonly map: FeatureMap;
  readonly quantised: QuantisedFeatures;
}

export function provenFeatures(rows: Sensitivities, options: FeatureOptions): ProvenFeatures {
  const map = featureMap(rows, options);
  return { map, quantised: quantiseFeatures(map.features(rows), rows.rowCount, options.featureCount) };
}

/** One query of 8 bits for each row of `queries`. */
export function provenQueries(
  map: Pick<FeatureMap, "featureCount" | "features">,
  queries: Sensitivities,
): QuantisedQuery[] {
  const features = map.features(queries);
  return Array.from({ length: queries.rowCount }, (_, q) =>
    quantiseQuery(features.subarray(q * map.featureCount, (q + 1) * map.featureCount)),
  );
}

/** The integer scores that a settlement proves, queries × rows. */
export function provenScores(
  { quantised }: ProvenFeatures,
  queries: readonly QuantisedQuery[],
): Float64Array {
  const { values: features, rowCount, featureCount } = quantised;
  const out = new Float64Array(queries.length * rowCount);
  for (const [q, { values: query }] of queries.entries()) {
    out.set(integerScores({ features, rowCount, featureCount, query }), q * rowCount);
  }
  return out;
}

/** Each row's score for itself as a query, in the real units (queries have different scales). */
export function provenSelf({ quantised, map }: ProvenFeatures, rows: Sensitivities): Float64Array {
  const { values, featureCount, scale } = quantised;
  return Float64Array.from(provenQueries(map, rows), (query, i) => {
    const features = values.subarray(i * featureCount, (i + 1) * featureCount);
    const [score] = integerScores({ features, rowCount: 1, featureCount, query: query.values });
    return score! * scale * query.scale;
  });
}
