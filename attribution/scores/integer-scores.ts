/**
 * Scores s = G q in plain integers, of a model's int8 matrix G of row features and a query q: the mode `int32` of
 * score-engine.ts, and the reference for the others.
 */
import { attributionError } from "../attribution-errors.ts";
import { MAX_FEATURE, MAX_FEATURE_COUNT, MAX_QUERY } from "../features/quantise.ts";

/** Inputs of s = G q: an int8 matrix of N rows and a query of 8 bits and sign. */
export interface ScoreInputs {
  readonly features: Int8Array;
  readonly rowCount: number;
  readonly featureCount: number;
  readonly query: Int16Array;
}

/** s = G q in 32-bit integers: exact, because d ≤ 2,072 keeps every partial sum below 2^26. */
export function integerScores(inputs: ScoreInputs): Int32Array {
  checkScoreInputs(inputs);
  const { features, rowCount, featureCount, query } = inputs;
  const q = Int32Array.from(query);
  const out = new Int32Array(rowCount);
  for (let i = 0; i < rowCount; i++) {
    const at = i * featureCount;
    let sum = 0;
    for (let j = 0; j < featureCount; j++) sum = (sum + Math.imul(features[at + j]!, q[j]!)) | 0;
    out[i] = sum;
  }
  return out;
}

/** Checks a matrix and a query. @throws ATT_INPUT_INVALID (−128, a query beyond ±255, counts that do not fit) */
function checkScoreInputs(inputs: ScoreInputs): void {
  checkMatrix(inputs);
  checkQuery(inputs, inputs.query);
}

/** Checks a matrix, once for all its queries. @throws ATT_INPUT_INVALID */
export function checkMatrix({ features, rowCount, featureCount }: Omit<ScoreInputs, "query">): void {
  if (features.length !== rowCount * featureCount) {
    throw attributionError("ATT_INPUT_INVALID", "features and their counts do not fit", {
      data: { reason: "size-mismatch", features: features.length, rowCount, featureCount },
    });
  }
  if (featureCount > MAX_FEATURE_COUNT) {
    throw attributionError("ATT_INPUT_INVALID", `${featureCount} features, at most ${MAX_FEATURE_COUNT}`, {
      data: { reason: "score-too-large", featureCount, maxFeatureCount: MAX_FEATURE_COUNT },
    });
  }
  if (features.includes(-MAX_FEATURE - 1)) throw notInteger("a feature is −128");
}

/** Checks a query for a matrix. @throws ATT_INPUT_INVALID */
export function checkQuery({ featureCount }: Pick<ScoreInputs, "featureCount">, query: Int16Array): void {
  if (query.length !== featureCount) {
    throw attributionError("ATT_INPUT_INVALID", "the query's length is not the model's", {
      data: { reason: "size-mismatch", query: query.length, featureCount },
    });
  }
  if (query.some((x) => Math.abs(x) > MAX_QUERY)) throw notInteger("a query entry exceeds ±255");
}

const notInteger = (message: string) =>
  attributionError("ATT_INPUT_INVALID", message, {
    data: { reason: "not-integer", maxFeature: MAX_FEATURE, maxQuery: MAX_QUERY },
  });
