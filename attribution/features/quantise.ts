/**
 * Quantises a model's features and queries to the integers that the settlement proof works on. registered-features.ts
 * quantises rows, language models (models/tuning/) their queries.
 *
 * Features: int8 without −128, one scale for the whole matrix, rounded to the nearest. Queries: 8 bits in four base-4
 * digits of {±1, ±3}, so the *odd* numbers from −255 to 255: a mid-rise quantiser, which has no zero. A query's scale
 * is its own, since a draw is shared by ratios of scores.
 */
import { attributionError } from "../attribution-errors.ts";

/** Largest magnitude of a feature. */
export const MAX_FEATURE = 127;
/** Largest magnitude of a query's entry. */
export const MAX_QUERY = 255;
/** Scores have nine base-8 digits of {±1, ±3, ±5, ±7} after s → 2s + 1, so |s| < 2^26. */
export const MAX_SCORE = 2 ** 26 - 1;
/** Largest feature count d, 2,072: 127 · 255 · d may not exceed MAX_SCORE. */
export const MAX_FEATURE_COUNT = Math.floor(MAX_SCORE / (MAX_FEATURE * MAX_QUERY));

export interface QuantisedFeatures {
  /** N × d, row-major. */
  readonly values: Int8Array;
  readonly rowCount: number;
  readonly featureCount: number;
  /** One unit of `values` in the units of the real features. */
  readonly scale: number;
}

export interface QuantisedQuery {
  /** Odd, −255 … 255; 0 never occurs. */
  readonly values: Int16Array;
  /** One unit of `values` in the units of the real query. */
  readonly scale: number;
}

/**
 * Quantises features (rowCount × featureCount, row-major, real numbers).
 * @param scale default: the least with which no entry saturates
 * @throws ATT_INPUT_INVALID for more than 2,072 features
 */
export function quantiseFeatures(
  features: Float64Array,
  rowCount: number,
  featureCount: number,
  scale: number = largest(features) / MAX_FEATURE || 1,
): QuantisedFeatures {
  if (featureCount > MAX_FEATURE_COUNT) {
    throw attributionError("ATT_INPUT_INVALID", `${featureCount} features, at most ${MAX_FEATURE_COUNT}`, {
      data: { reason: "score-too-large", featureCount, maxFeatureCount: MAX_FEATURE_COUNT },
    });
  }
  // Math.floor(x + ½) rounds halves up, everywhere; Math.round would do the same but −0 has no position in bytes.
  const values = Int8Array.from(features, (x) => Math.floor(x / scale + 0.5));
  return { values, rowCount, featureCount, scale };
}

/** Quantises a query of real numbers at the least scale with which no entry saturates. */
export function quantiseQuery(query: Float64Array): QuantisedQuery {
  // The largest entry lands in the last cell, (254, 256], whose middle is 255.
  const scale = largest(query) / (MAX_QUERY + 1) || 1;
  const values = Int16Array.from(query, (x) => {
    const odd = 2 * Math.floor(x / scale / 2) + 1;
    // Clamped: the scale of subnormal numbers is itself rounded.
    return Math.max(-MAX_QUERY, Math.min(odd, MAX_QUERY));
  });
  return { values, scale };
}

/**
 * Quantises a query's real features and pads it to `columnCount` entries with `rest`: 1 where these columns of G are
 * zero, since a query's entries are odd, and 255 where they are the base (base-column.ts).
 */
export function paddedQuery(features: Float64Array, columnCount: number, rest: number): QuantisedQuery {
  const { values, scale } = quantiseQuery(features);
  const padded = new Int16Array(columnCount).fill(rest);
  padded.set(values);
  return { values: padded, scale };
}

/** Adds zero columns at the end of every row, up to `columnCount`. */
export function padColumns(features: QuantisedFeatures, columnCount: number): QuantisedFeatures {
  const { rowCount, featureCount, scale } = features;
  const values = new Int8Array(rowCount * columnCount);
  for (let i = 0; i < rowCount; i++) {
    values.set(features.values.subarray(i * featureCount, (i + 1) * featureCount), i * columnCount);
  }
  return { values, rowCount, featureCount: columnCount, scale };
}

function largest(values: Float64Array): number {
  let max = 0;
  for (const x of values) if (Math.abs(x) > max) max = Math.abs(x);
  return max;
}
