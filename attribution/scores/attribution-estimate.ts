/**
 * Estimate of who would be paid for one answer, shown with the answer before any settlement: rows' scores as
 * shares of 1 by row and contributor. The answering server computes it, and the preview "what if" of a recipe.
 */
import { type ModelQuery, modelQueryOfBytes } from "@openledger/circuits/ledger/model-query";
import type { Payee } from "@openledger/circuits/ledger/rewards";
import { isDirect, type RegisteredMatrix } from "../features/direct-rows.ts";
import { rowOwners } from "../model/payee-table.ts";
import type { ModelScores } from "./model-scores.ts";
import { integerScoresOf } from "./plain-scores.ts";
import type { RanMode } from "./score-engine.ts";

/** A row's part in an estimate. */
export interface RowShare {
  /** Position in the version's order. */
  readonly row: number;
  readonly contributorId: number;
  readonly validatorId: number;
  /** Integer score, in the registered matrix's and the query's units. */
  readonly score: number;
  /** Part of the contributors' and validators' reward for the answer, if it is drawn. */
  readonly share: number;
}

/** Rows and contributors that an answer would pay if its payment were drawn. */
export interface AttributionEstimate {
  /** Payments are drawn at random; only a settlement says who is paid. */
  readonly isEstimate: true;
  /** True where no row has a positive score: rows share alike. */
  readonly isEven: boolean;
  readonly topRows: readonly RowShare[];
  /** Rows that spoke against the answer, the lowest score first. They are not paid. */
  readonly rowsAgainst: readonly Omit<RowShare, "share">[];
  readonly contributors: readonly { readonly contributorId: number; readonly share: number }[];
  /** Mode that computed the scores. */
  readonly backend: RanMode;
}

interface EstimatedModel {
  readonly features: RegisteredMatrix;
  readonly payees: readonly Payee[];
}

/** Weights of rows as a settlement takes them: positive scores, or 1 each where there are none. */
export function rowWeights(scores: ArrayLike<number>): { weights: Float64Array; isEven: boolean } {
  const weights = Float64Array.from(scores, (score) => Math.max(0, score));
  const isEven = weights.every((weight) => weight === 0);
  return { weights: isEven ? weights.fill(1) : weights, isEven };
}

/** Estimate of one answer, in plain integers. @throws ATT_INPUT_INVALID, CIR_QUERY_INVALID */
export function estimateAttribution(
  model: EstimatedModel,
  query: ModelQuery,
  options: { readonly topCount?: number } = {},
): AttributionEstimate {
  return attributionOf(model, integerScoresOf(model.features)(query), { ...options, backend: "int32" });
}

/** Estimates of a model's answers by the bytes of their queries, in plain integers. The function throws as `estimateAttribution`. */
export function estimatorOf(model: EstimatedModel): (queryBytes: Uint8Array) => AttributionEstimate {
  const scores = integerScoresOf(model.features);
  const isOfDirect = isDirect(model.features);
  return (queryBytes) =>
    attributionOf(model, scores(modelQueryOfBytes(queryBytes, isOfDirect)), { backend: "int32" });
}

/** Estimate of one answer by an open engine. @throws ATT_INPUT_INVALID, CIR_QUERY_INVALID */
export async function estimateByEngine(
  model: EstimatedModel,
  query: ModelQuery,
  engine: ModelScores,
): Promise<AttributionEstimate> {
  return attributionOf(model, await engine.scores(query), { backend: engine.mode });
}

/** Estimate of one answer from the scores of its rows. */
function attributionOf(
  { payees }: Pick<EstimatedModel, "payees">,
  scores: ArrayLike<number>,
  { backend, topCount = 10 }: { readonly backend: RanMode; readonly topCount?: number | undefined },
): AttributionEstimate {
  const { weights, isEven } = rowWeights(scores);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const owners = rowOwners(payees);
  const contributors = new Map<number, number>();
  for (const [row, weight] of weights.entries()) {
    const { contributorId } = payees[owners[row]!]!;
    contributors.set(contributorId, (contributors.get(contributorId) ?? 0) + weight);
  }
  const rowOf = (row: number) => {
    const { contributorId, validatorId } = payees[owners[row]!]!;
    return { row, contributorId, validatorId, score: scores[row]! };
  };
  const topRows = [...weights.keys()]
    .sort((a, b) => weights[b]! - weights[a]! || a - b)
    .slice(0, topCount)
    .map((row) => ({ ...rowOf(row), share: weights[row]! / total }));
  const rowsAgainst = [...weights.keys()]
    .filter((row) => scores[row]! < 0)
    .sort((a, b) => scores[a]! - scores[b]! || a - b)
    .slice(0, topCount)
    .map(rowOf);
  return {
    isEstimate: true,
    isEven,
    topRows,
    rowsAgainst,
    contributors: [...contributors]
      .map(([contributorId, weight]) => ({ contributorId, share: weight / total }))
      .sort((a, b) => b.share - a.share || a.contributorId - b.contributorId),
    backend,
  };
}
