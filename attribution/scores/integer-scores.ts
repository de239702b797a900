import { attributionError } from "../attribution-errors.ts";
import { MAX_FEATURE, MAX_FEATURE_COUNT, MAX_QUERY } from "../features/quantise.ts";

/** An int8 matrix of N rows and a query of 8 bits and sign: what s = G q is made of. */
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

/** @throws ATT_INPUT_INVALID (−128, or a query beyond ±255) */
export function checkScoreInputs({ features, rowCount, featureCount, query }: ScoreInputs): void {
  if (features.length !== rowCount * featureCount || query.length !== featureCount) {
    throw attributionError("ATT_INPUT_INVALID", "features, query and their counts do not fit", {
      data: {
        reason: "size-mismatch",
        features: features.length,
        query: query.length,
        rowCount,
        featureCount,
      },
    });
  }
  if (featureCount > MAX_FEATURE_COUNT) {
    throw attributionError("ATT_INPUT_INVALID", `${featureCount} features, at most ${MAX_FEATURE_COUNT}`, {
      data: { reason: "score-too-large", featureCount, maxFeatureCount: MAX_FEATURE_COUNT },
    });
  }
  if (features.includes(-MAX_FEATURE - 1) || query.some((x) => Math.abs(x) > MAX_QUERY)) {
    throw attributionError("ATT_INPUT_INVALID", "a feature is −128, or a query entry exceeds ±255", {
      data: { reason: "not-integer", maxFeature: MAX_FEATURE, maxQuery: MAX_QUERY },
    });
  }
}
