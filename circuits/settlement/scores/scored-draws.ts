/**
 * Circuit inputs of all draws of a settlement: queries and scores, those of void draws too. Rules of scored-draws.circom and
 * direct-draws.circom; settlement-rules.ts and settle-shards.ts fill the circuits by them.
 */
import { emptyQuery } from "../../ledger/direct-query.ts";
import type { ModelQuery } from "../../ledger/model-query.ts";
import type { SettlementSize } from "../settlement-size.ts";
import { type DirectDraw, type RegisteredMatrix, scoredDraw } from "./direct-matrix.ts";
import type { DrawInputs } from "./draw-scores.ts";

type ScoredSize = Pick<SettlementSize, "features" | "isDirect">;

/**
 * Inputs of each draw. @param queries null for a void draw
 * @throws as `scoresOf`
 */
export function scoredDraws(
  matrix: RegisteredMatrix,
  queries: readonly (ModelQuery | null)[],
  size: ScoredSize,
): (DrawInputs | DirectDraw)[] {
  return queries.map((query) => scoredDraw(matrix, query ?? queryOfVoid(size)));
}

/** A void draw needs some query: all ones, or no term. Every model has pair 0. */
const queryOfVoid = ({ features, isDirect }: ScoredSize): ModelQuery =>
  isDirect === true ? emptyQuery(features) : new Int16Array(features).fill(1);
