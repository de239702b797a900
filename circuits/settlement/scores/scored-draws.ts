/**
 * Circuit inputs of all draws of a settlement: queries and scores, those of void draws too. Rules of scored-draws.circom and
 * direct-draws.circom; settlement-rules.ts and settle-shards.ts fill the circuits by them.
 */
import { circuitError } from "../../circuit-errors.ts";
import { emptyQuery } from "../../ledger/direct-query.ts";
import { isDirectQuery, type ModelQuery } from "../../ledger/model-query.ts";
import { type SettlementSize, SHARED } from "../settlement-size.ts";
import { type DirectDraw, type RegisteredMatrix, scoredDraw } from "./direct-matrix.ts";
import type { DrawInputs } from "./draw-scores.ts";

type ScoredSize = Pick<SettlementSize, "features" | "isDirect" | "columnSets">;

/**
 * Inputs of each draw. @param queries null for a void draw
 * @throws CIR_SETTLEMENT_SIZE if draws of several pairs are to share the columns of one; as `scoresOf`
 */
export function scoredDraws(
  matrix: RegisteredMatrix,
  queries: readonly (ModelQuery | null)[],
  size: ScoredSize,
): (DrawInputs | DirectDraw)[] {
  const pair = sharedPair(queries, size);
  return queries.map((query) => scoredDraw(matrix, query ?? queryOfVoid(size, pair)));
}

/** A void draw needs some query: all ones, or no term. Every model has pair 0. */
const queryOfVoid = ({ features, isDirect }: ScoredSize, pair: number): ModelQuery =>
  isDirect === true ? emptyQuery(features, pair) : new Int16Array(features).fill(1);

/** Pair of all draws where they share their columns; else 0. */
function sharedPair(queries: readonly (ModelQuery | null)[], { columnSets }: ScoredSize): number {
  if (columnSets === undefined) return 0;
  const valid = queries.flatMap((query) => (query !== null && isDirectQuery(query) ? [query.pair] : []));
  const pairs = new Set(valid);
  if (pairs.size <= columnSets) return valid[0] ?? 0;
  throw circuitError(
    "CIR_SETTLEMENT_SIZE",
    `draws of ${pairs.size} pairs of labels, and the circuit's share the columns of one: take a circuit without ${SHARED}`,
    { data: { what: "pairs", given: pairs.size, max: columnSets } },
  );
}
