/**
 * The registered matrix B of a direct model (logistic, of e-mails or digits, whose query is the prompt's counts) and
 * what it says of a query: rows' scores, and the answered class. Rules of direct-scores.circom; attribution/ registers
 * it.
 *
 * B has a row for each of the version's N rows and, behind them, the model's logit; a column for each bucket and,
 * behind them, the bias. Entries are integers of 10 bits and a sign. The columns' commitments are registered as other
 * models'.
 */
import { circuitError } from "../../circuit-errors.ts";
import { generators } from "../../field/curve/generators.ts";
import {
  type AnsweredClass,
  type DirectQuery,
  emptyQuery,
  lengthOf,
  requireBuckets,
  requireDirectQuery,
  TERM_WEIGHT,
  termTotal,
} from "../../ledger/direct-query.ts";
import type { ModelQuery } from "../../ledger/model-query.ts";
import { type ColumnCommitments, sumColumns } from "../feature-commitment.ts";
import type { SettlementSize } from "../settlement-size.ts";
import { type DrawInputs, drawInputs, exactScores } from "./draw-scores.ts";

export const MAX_DIRECT_ENTRY = 511;
/** Base-8 digits of 2s + 1: |2s + 1| ≤ 2 · 511 · (8 · 2,000 + 357) + 1 < 8^8. DIRECT_DIGITS in direct-scores.circom. */
export const DIRECT_DIGITS = 8;

export interface DirectMatrix {
  /** N: the logit's row is not counted. */
  readonly rowCount: number;
  /** D: the bias' column is not counted. */
  readonly bucketCount: number;
  /** B, row-major (N + 1) × (D + 1): the last row is the logit's, the last column the bias'. −511 … 511. */
  readonly values: Int16Array;
}

/** Generator of the logit's row. It is not named `row`, so that it does not depend on N. */
export function logitGenerator(): { readonly u: bigint; readonly v: bigint } {
  const { u, v } = generators("blind", 2);
  return { u: u[1]!, v: v[1]! };
}

/** @throws CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE */
function requireDirectMatrix({ rowCount, bucketCount, values }: DirectMatrix): void {
  requireBuckets(bucketCount);
  if (rowCount < 1 || values.length !== (rowCount + 1) * (bucketCount + 1)) {
    throw circuitError(
      "CIR_FEATURES_INVALID",
      `${values.length} entries are no ${rowCount} + 1 rows of ${bucketCount} + 1`,
      { data: { rowCount, bucketCount, entryCount: values.length } },
    );
  }
}

/**
 * C_j = H' + Σ_k B_kj H_k + B_logit,j H_logit: buckets first, the bias last. About 4 µs an entry that is not 0.
 * @throws CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE
 */
export function commitDirectColumns(
  matrix: DirectMatrix,
  onProgress: (rowsDone: number) => void = () => {},
): ColumnCommitments {
  requireDirectMatrix(matrix);
  const { rowCount, bucketCount, values } = matrix;
  const rows = generators("row", rowCount);
  const logit = logitGenerator();
  const points = {
    u: [...rows.u.slice(0, rowCount), logit.u],
    v: [...rows.v.slice(0, rowCount), logit.v],
  };
  const size = { featureCount: bucketCount + 1, maxEntry: MAX_DIRECT_ENTRY };
  return sumColumns(values, points, size, onProgress);
}

/** 8 Σ_a count_a B_ka + L B_k,bias of each row, the logit's last. Exact: below 2^23 for lawful counts. */
function rawScores({ rowCount, bucketCount, values }: DirectMatrix, counts: Uint8Array): number[] {
  if (counts.length !== bucketCount) {
    throw circuitError("CIR_QUERY_INVALID", `${counts.length} counts, for ${bucketCount} buckets`, {
      data: { countCount: counts.length, bucketCount },
    });
  }
  const length = lengthOf(termTotal(counts));
  return Array.from({ length: rowCount + 1 }, (_, k) => {
    const at = k * (bucketCount + 1);
    let sum = 0;
    for (let a = 0; a < bucketCount; a++) sum += counts[a]! * values[at + a]!;
    return TERM_WEIGHT * sum + length * values[at + bucketCount]!;
  });
}

/**
 * The model's answer: 1 if the logit 8 Σ_a count_a B_a + L B_bias is 0 or more. Every prompt has one.
 * @throws CIR_QUERY_INVALID, CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE
 */
export function answeredClass(matrix: DirectMatrix, counts: Uint8Array): AnsweredClass {
  return directLogit(matrix, counts) >= 0 ? 1 : 0;
}

/** Integer logit of a prompt. The recipe defines its unit. @throws as `answeredClass` */
export function directLogit(matrix: DirectMatrix, counts: Uint8Array): number {
  requireDirectMatrix(matrix);
  requireDirectQuery({ counts, answeredClass: 0 });
  const { rowCount, bucketCount, values } = matrix;
  const at = rowCount * (bucketCount + 1);
  const row = { rowCount: 0, bucketCount, values: values.subarray(at) };
  return rawScores(row, counts)[0]!;
}

/**
 * The scores of the N rows: 8 Σ_a count_a B_ka + L B_k,bias, negated where class 1 was answered.
 * @throws CIR_QUERY_INVALID if the query's class is not the matrix' answer; as `answeredClass`
 */
export function directScores(matrix: DirectMatrix, query: DirectQuery): bigint[] {
  return directDraw(matrix, query).scores as bigint[];
}

/** Inputs of DirectScores for one draw, besides start point and columns. Scores are signed hints. */
export interface DirectDraw {
  readonly counts: readonly number[];
  readonly answeredClass: AnsweredClass;
  /** Scores of the version's rows. */
  readonly scores: readonly bigint[];
  /** ± (2 logit + 1), below 0: with the sign of the scores. */
  readonly logitDigits: bigint;
  /** ± (8 n + L): the score of H'. */
  readonly blindScore: bigint;
}

/** @throws as `directScores` */
export function directDraw(matrix: DirectMatrix, query: DirectQuery): DirectDraw {
  requireDirectMatrix(matrix);
  requireDirectQuery(query);
  const { counts } = query;
  const raw = rawScores(matrix, counts);
  const logit = raw.pop()!;
  const answered = logit >= 0 ? 1 : 0;
  if (query.answeredClass !== answered) {
    throw circuitError("CIR_QUERY_INVALID", `class ${query.answeredClass} is not the model's answer`, {
      data: { reason: "class-differs", answeredClass: query.answeredClass, logit },
    });
  }
  const sign = answered === 1 ? -1n : 1n;
  const terms = termTotal(counts);
  return {
    counts: [...counts],
    answeredClass: answered,
    scores: raw.map((score) => sign * BigInt(score)),
    logitDigits: sign * (2n * BigInt(logit) + 1n),
    blindScore: sign * BigInt(TERM_WEIGHT * terms + lengthOf(terms)),
  };
}

/** G, row-major N × d; or a direct model's B. */
export type RegisteredMatrix = Int8Array | DirectMatrix;

/**
 * The score of each row.
 * @throws CIR_QUERY_INVALID, also if the query is of another kind than the matrix; CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE
 */
export function scoresOf(matrix: RegisteredMatrix, query: ModelQuery): readonly bigint[] {
  if (matrix instanceof Int8Array && query instanceof Int16Array) return exactScores(matrix, query);
  return scoredDraw(matrix, query).scores;
}

/** Circuit inputs of a draw: its query and scores. @throws as `scoresOf` */
export function scoredDraw(matrix: RegisteredMatrix, query: ModelQuery): DrawInputs | DirectDraw {
  if (matrix instanceof Int8Array && query instanceof Int16Array) return drawInputs(matrix, query);
  if (!(matrix instanceof Int8Array || query instanceof Int16Array)) return directDraw(matrix, query);
  throw circuitError("CIR_QUERY_INVALID", "the query is of another kind than the model", { data: {} });
}

/** A void draw needs some query: all ones, or no term. @throws CIR_SETTLEMENT_SIZE */
export function queryOfVoid({
  features,
  isDirect,
}: Pick<SettlementSize, "features" | "isDirect">): ModelQuery {
  return isDirect === true ? emptyQuery(features) : new Int16Array(features).fill(1);
}
