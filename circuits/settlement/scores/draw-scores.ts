/**
 * Exact scores of the rows for one drawn answer (one whose payment Ethereum's randomness sampled), as DrawScores of
 * draw-scores.circom takes them: s = G q with the model's matrix G of int8 row features and odd queries q up to ±255.
 * direct-matrix.ts chooses between these and a direct model's.
 */
import { circuitError } from "../../circuit-errors.ts";
import { queryBytes } from "../../ledger/model-query.ts";

/**
 * Number of base-8 digits of 2s + 1 for d features: |2s + 1| ≤ 2 · 127 · 255 · d + 1 < 8^D. SCORE_DIGITS in
 * score-rows.circom.
 */
export function scoreDigitCount(featureCount: number): 7 | 8 | 9 {
  return featureCount <= 32 ? 7 : featureCount <= 259 ? 8 : 9;
}

/**
 * Computes s_k = Σ_j G[k][j] q_j, G row-major N × d. Exact: below 2^26 for d ≤ 2,072.
 *
 * @throws CIR_FEATURES_INVALID if G has no whole number of rows for this query
 */
export function exactScores(G: Int8Array, q: Int16Array): bigint[] {
  const featureCount = q.length;
  const rowCount = G.length / featureCount;
  if (!Number.isInteger(rowCount)) {
    throw circuitError(
      "CIR_FEATURES_INVALID",
      `${G.length} entries are no rows of ${featureCount} features`,
      {
        data: { entryCount: G.length, featureCount },
      },
    );
  }
  return Array.from({ length: rowCount }, (_, k) => {
    let sum = 0;
    for (let j = 0; j < featureCount; j++) sum += G[k * featureCount + j]! * q[j]!;
    return BigInt(sum);
  });
}

/** Inputs of DrawScores for one draw, besides the start point and the columns. Scores are signed. */
export interface DrawInputs {
  readonly queryBytes: readonly number[];
  readonly scores: readonly bigint[];
  /** s' = Σ q_j, the score of H'. */
  readonly blindScore: bigint;
}

/** Builds one draw's inputs of G (N × d) and its query (d). @throws CIR_QUERY_INVALID, CIR_FEATURES_INVALID */
export function drawInputs(G: Int8Array, q: Int16Array): DrawInputs {
  return {
    queryBytes: [...queryBytes(q)],
    scores: exactScores(G, q),
    blindScore: q.reduce((sum, entry) => sum + BigInt(entry), 0n),
  };
}
