/** Scores of a model's registered matrix, for a query of its kind. */
import { isDirectQuery, type ModelQuery } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { attributionError } from "../attribution-errors.ts";
import { isDirect, type RegisteredMatrix } from "../features/direct-rows.ts";
import { directMatrix } from "../model/registration.ts";
import { openScoreEngine, type RanMode, type ScoreChoice } from "./score-engine.ts";

export interface ModelScores {
  /** The mode that runs, whatever was chosen. */
  readonly mode: RanMode;
  /**
   * Score of each row, exact. @throws ATT_INPUT_INVALID for a query of another kind, CIR_QUERY_INVALID, and as
   * ScoreEngine
   */
  scores(query: ModelQuery): Int32Array;
  close(): void;
}

/**
 * @throws ATT_SCORE_MODE_UNAVAILABLE where the chosen mode does not run here; the scores of direct models are plain
 *   integers, since a prompt selects a few columns: `auto` is `int32` for them, and there is no other mode
 */
export function openModelScores(features: RegisteredMatrix, choice: ScoreChoice): ModelScores {
  if (isDirect(features)) {
    if (choice !== "auto" && choice !== "int32")
      throw attributionError("ATT_SCORE_MODE_UNAVAILABLE", `a direct model has no scores by ${choice}`, {
        data: { mode: choice, ran: "none" },
      });
    const matrix = directMatrix(features);
    return {
      mode: "int32",
      scores(query) {
        if (!isDirectQuery(query)) throw otherKind("a query of features, for a direct model");
        return Int32Array.from(directScores(matrix, query), Number);
      },
      close() {},
    };
  }
  const { featureCount, rowCount, values } = features;
  const engine = openScoreEngine({ features: values, featureCount, rowCount }, choice);
  return {
    mode: engine.mode,
    scores(query) {
      if (isDirectQuery(query)) throw otherKind("a direct query, for a model of features");
      return engine.scores(query);
    },
    close: () => engine.close(),
  };
}

const otherKind = (message: string) =>
  attributionError("ATT_INPUT_INVALID", message, { data: { reason: "size-mismatch" } });
