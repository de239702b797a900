/**
 * Scores of all rows of a model for one query, whatever the model's kind: int8 features by a score engine, direct
 * models (logistic, with counts as queries) by plain integers. The answering server and the check of a settlement open
 * it.
 */
import { isDirectQuery, type ModelQuery } from "@openledger/circuits/ledger/model-query";
import { attributionError } from "../attribution-errors.ts";
import { isDirect, type RegisteredMatrix } from "../features/direct-rows.ts";
import { DIRECT_QUERY, integerScoresOf, matrixOf, otherKind } from "./plain-scores.ts";
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
