/**
 * Whether scores are those that a settlement has proven, without the matrix: the columns' commitments and the query give
 * Σ q_j C_j, a commitment to all scores, and nobody knows two lists of scores for it (docs/explanation/attribution-proof.md).
 */

import { generators } from "../../field/curve/generators.ts";
import { addAll, IDENTITY_U, type MontgomeryPoints } from "../../field/curve/montgomery-points.ts";
import { lengthOf, TERM_WEIGHT, termTotal } from "../../ledger/direct-query.ts";
import { isDirectQuery, type ModelQuery } from "../../ledger/model-query.ts";
import type { ColumnCommitments } from "../feature-commitment.ts";
import { logitGenerator } from "./direct-matrix.ts";
import { sumOfMultiples } from "./small-multiples.ts";

/** What a draw's query says of all rows of the version. */
export interface OpenedScores {
  readonly query: ModelQuery;
  /** Of each row, as it is paid: a direct model's have the sign of the answered class. Less than 2^30. */
  readonly scores: ArrayLike<number>;
  /** Of a direct model; 0 of others. */
  readonly logit: number;
}

/** A query's weight for each column: its entries, or eight times the counts and the length behind them. */
function columnWeights(query: ModelQuery): number[] {
  if (!isDirectQuery(query)) return [...query];
  const counts = [...query.counts].map((count) => TERM_WEIGHT * count);
  return [...counts, lengthOf(termTotal(query.counts))];
}

/**
 * Whether 8 Σ w_j C_j = 8 (Σ w_j H' + Σ_k s_k H_k), as the circuit has it; of a direct model with the logit beside the rows,
 * whose sign is the answered class. About 10 µs for a row and 0.2 ms for each generator that this process has not derived yet.
 * @param columns on the curve
 */
export function areScoresOf(columns: ColumnCommitments, { logit, query, scores }: OpenedScores): boolean {
  const weights = columnWeights(query);
  if (weights.length !== columns.u.length) return false;
  const isDirect = isDirectQuery(query);
  if (isDirect ? logit >= 0 !== (query.answeredClass === 1) : logit !== 0) return false;
  const sign = isDirect && query.answeredClass === 1 ? -1 : 1;
  const rows = generators("row", scores.length);
  const blind = generators("blind", 1);
  const logitPoint = logitGenerator();
  const points = {
    u: [...columns.u, blind.u[0]!, logitPoint.u, ...rows.u.slice(0, scores.length)],
    v: [...columns.v, blind.v[0]!, logitPoint.v, ...rows.v.slice(0, scores.length)],
  };
  const blindWeight = weights.reduce((sum, weight) => sum + weight, 0);
  const ofRows = Array.from(scores, (score) => -sign * score);
  const rest = sumOfMultiples(points, [...weights, -blindWeight, -logit, ...ofRows]);
  return isOfSmallOrder(rest);
}

/** Small-order parts of a column's commitment vanish in the circuit too. */
function isOfSmallOrder(point: MontgomeryPoints): boolean {
  for (let i = 0; i < 3; i++) addAll(point, point);
  return point.u[0] === IDENTITY_U;
}
