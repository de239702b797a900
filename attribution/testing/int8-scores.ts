/** Scores as a settlement computes them, from real features: for tests and the benchmark of texts. */
import { quantiseFeatures, quantiseQuery } from "../features/quantise.ts";
import { integerScores } from "../scores/integer-scores.ts";

/** Real features of rows and of queries whose inner products are scores, `featureCount` each, row after row. */
export interface RealFeatures {
  readonly rows: Float64Array;
  readonly queries: Float64Array;
  readonly featureCount: number;
}

/** The integer scores of these features once they are int8 and the queries odd numbers of 8 bits. queries × rows. */
export function int8Scores({ rows, queries, featureCount }: RealFeatures): Float64Array {
  const rowCount = rows.length / featureCount;
  const { values: features } = quantiseFeatures(rows, rowCount, featureCount);
  const queryCount = queries.length / featureCount;
  const out = new Float64Array(queryCount * rowCount);
  for (let q = 0; q < queryCount; q++) {
    const { values: query } = quantiseQuery(queries.subarray(q * featureCount, (q + 1) * featureCount));
    out.set(integerScores({ features, rowCount, featureCount, query }), q * rowCount);
  }
  return out;
}
