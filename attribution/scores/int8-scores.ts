import { quantiseFeatures, quantiseQuery } from "../features/quantise.ts";
import { integerScores } from "./integer-scores.ts";

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

/** Each row's score for itself, `queries` being the rows again; in real units, since queries have different scales. */
export function int8SelfScores({ rows, queries, featureCount }: RealFeatures): Float64Array {
  const rowCount = rows.length / featureCount;
  const { values, scale } = quantiseFeatures(rows, rowCount, featureCount);
  return Float64Array.from({ length: rowCount }, (_, i) => {
    const from = i * featureCount;
    const query = quantiseQuery(queries.subarray(from, from + featureCount));
    let sum = 0;
    for (let j = 0; j < featureCount; j++) sum += values[from + j]! * query.values[j]!;
    return sum * scale * query.scale;
  });
}
