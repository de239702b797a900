/** Scores of all rows of a model in plain integers, whatever its kind. Pages import it: no engine is needed. */
import { isDirectQuery, type ModelQuery } from "@openledger/circuits/ledger/model-query";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { attributionError } from "../attribution-errors.ts";
import { isDirect, type RegisteredMatrix } from "../features/direct-rows.ts";
import type { QuantisedFeatures } from "../features/quantise.ts";
import { directMatrix } from "../model/registration.ts";
import { integerScores } from "./integer-scores.ts";

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

export const matrixOf = ({ featureCount, rowCount, values }: QuantisedFeatures) => ({
  features: values,
  featureCount,
  rowCount,
});

export const DIRECT_QUERY = "a direct query, for a model of features";

export const otherKind = (message: string) =>
  attributionError("ATT_INPUT_INVALID", message, { data: { reason: "size-mismatch" } });
