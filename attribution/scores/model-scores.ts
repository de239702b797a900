/**
 * Scores of all rows of a model for one query, whatever the model's kind: int8 features by a score engine, direct
 * models (logistic, with counts as queries) by plain integers. The answering server and the check of a settlement open
 * it.
 */
import { isDirectQuery, type ModelQuery } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { attributionError } from "../attribution-errors.ts";
import { isDirect, type RegisteredMatrix } from "../features/direct-rows.ts";
import type { QuantisedFeatures } from "../features/quantise.ts";
import { directMatrix } from "../model/registration.ts";
import { integerScores } from "./integer-scores.ts";
import { openScoreEngine, type RanMode, type ScoreChoice } from "./score-engine.ts";

export interface ModelScores {
  /** Mode that runs, whichever was chosen. */
  readonly mode: RanMode;
  /**
   * Score of each row, exact. @throws ATT_INPUT_INVALID for a query of another kind, CIR_QUERY_INVALID, and as
   * ScoreEngine
   */
  scores(query: ModelQuery): Promise<Int32Array>;
  close(): void;
}

/**
 * @throws ATT_SCORE_MODE_UNAVAILABLE where the chosen mode does not run here; the scores of direct models are plain
 *   integers, since a prompt selects a few columns: `auto` is `int32` for them, and there is no other mode
 */
export async function openModelScores(features: RegisteredMatrix, choice: ScoreChoice): Promise<ModelScores> {
  if (isDirect(features)) {
    if (choice !== "auto" && choice !== "int32")
      throw attributionError("ATT_SCORE_MODE_UNAVAILABLE", `a direct model has no scores by ${choice}`, {
        data: { mode: choice, ran: "none" },
      });
    const scores = integerScoresOf(features);
    return { mode: "int32", scores: async (query) => scores(query), close() {} };
  }
  const engine = await openScoreEngine(matrixOf(features), choice);
  return {
    mode: engine.mode,
    async scores(query) {
      if (isDirectQuery(query)) throw otherKind(DIRECT_QUERY);
      return engine.scores(query);
    },
    close: () => engine.close(),
  };
}

/** Scores in plain integers, of any kind of model. The function throws ATT_INPUT_INVALID and CIR_QUERY_INVALID. */
export function integerScoresOf(features: RegisteredMatrix): (query: ModelQuery) => Int32Array {
  if (isDirect(features)) {
    const matrix = directMatrix(features);
    return (query) => {
      if (!isDirectQuery(query)) throw otherKind("a query of features, for a direct model");
      return Int32Array.from(directScores(matrix, query), Number);
    };
  }
  const matrix = matrixOf(features);
  return (query) => {
    if (isDirectQuery(query)) throw otherKind(DIRECT_QUERY);
    return integerScores({ ...matrix, query });
  };
}

const matrixOf = ({ featureCount, rowCount, values }: QuantisedFeatures) => ({
  features: values,
  featureCount,
  rowCount,
});

const DIRECT_QUERY = "a direct query, for a model of features";

const otherKind = (message: string) =>
  attributionError("ATT_INPUT_INVALID", message, { data: { reason: "size-mismatch" } });
