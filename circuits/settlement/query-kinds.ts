/** What a settlement does with a query, by the kind of its model: one of features, or a direct one. Needs `initPoseidon`. */

import { RollupError } from "@openledger/foundation/rollup-error";
import { emptyQuery } from "../ledger/direct-query.ts";
import type { ModelQuery } from "../ledger/model-query.ts";
import { type DirectDraw, type DirectMatrix, directDraw } from "./direct-matrix.ts";
import { type DrawInputs, drawInputs, exactScores } from "./draw-scores.ts";
import type { SettlementSize } from "./settlement-size.ts";

/** G, row-major N × d; or a direct model's B. */
export type RegisteredMatrix = Int8Array | DirectMatrix;

/**
 * The score of each row.
 * @throws CIR_QUERY_INVALID where the query is of another kind than the matrix; CIR_CLASS_DIFFERS, CIR_FEATURES_INVALID
 */
export function scoresOf(matrix: RegisteredMatrix, query: ModelQuery): readonly bigint[] {
  if (matrix instanceof Int8Array && query instanceof Int16Array) return exactScores(matrix, query);
  return scoredDraw(matrix, query).scores;
}

/** What the circuit takes of a draw's query and scores. @throws as `scoresOf` */
export function scoredDraw(matrix: RegisteredMatrix, query: ModelQuery): DrawInputs | DirectDraw {
  if (matrix instanceof Int8Array && query instanceof Int16Array) return drawInputs(matrix, query);
  if (!(matrix instanceof Int8Array || query instanceof Int16Array)) return directDraw(matrix, query);
  throw new RollupError("CIR_QUERY_INVALID", "the query is of another kind than the model", { data: {} });
}

/** A void draw needs some query: all ones, or no term. @throws CIR_SETTLEMENT_SIZE */
export function queryOfVoid({ features, isDirect }: SettlementSize): ModelQuery {
  return isDirect === true ? emptyQuery(features) : new Int16Array(features).fill(1);
}
