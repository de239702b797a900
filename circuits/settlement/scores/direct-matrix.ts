/**
 * The registered matrix of a direct model (a classifier of 2 … 50 labels, whose query is the prompt's counts) and what
 * it says of a query: the answer, and how the rows score for it. Rules of direct-scores.circom; attribution/ registers
 * it.
 *
 * The matrix is a contrast M_l for each label l = 1 … L − 1 against label 0, and M_0 = 0. A contrast has a row for each
 * of the version's N rows and, behind them, the label's logit; a column for each bucket and, behind them, the bias.
 * An answer compares a pair of labels i < j, by B = M_j − M_i: its logit is label j's less label i's. All entries of
 * all pairs are integers of 9 bits and a sign. The columns of all pairs are registered (pair-columns.ts).
 */
import { circuitError } from "../../circuit-errors.ts";
import { generators } from "../../field/curve/generators.ts";
import {
  type AnsweredClass,
  type DirectQuery,
  lengthOf,
  MAX_LABELS,
  pairCount,
  pairOf,
  pairPosition,
  requireBuckets,
  requireCounts,
  requireDirectQuery,
  requirePair,
  TERM_WEIGHT,
  termTotal,
} from "../../ledger/direct-query.ts";
import type { ModelQuery } from "../../ledger/model-query.ts";
import { type ColumnCommitments, sumColumns } from "../feature-commitment.ts";
import { type DrawInputs, drawInputs, exactScores } from "./draw-scores.ts";

export const MAX_DIRECT_ENTRY = 511;
/** Base-8 digits of 2s + 1: |2s + 1| ≤ 2 · 511 · (8 · 2,000 + 357) + 1 < 8^8. DIRECT_DIGITS in direct-scores.circom. */
export const DIRECT_DIGITS = 8;

export interface DirectMatrix {
  /** N: the logit's row is not counted. */
  readonly rowCount: number;
  /** D: the bias' column is not counted. */
  readonly bucketCount: number;
  /** L, 2 … 50. */
  readonly labelCount: number;
  /**
   * Row-major (N + 1) × (L − 1)(D + 1): a row has the contrasts of labels 1 … L − 1 one after another, each with its
   * bias last; the last row is the logits'. Contrasts, and their differences, are −511 … 511.
   */
  readonly values: Int16Array;
}

/** Generator of the logit's row. It is not named `row`, so that it does not depend on N. */
export function logitGenerator(): { readonly u: bigint; readonly v: bigint } {
  const { u, v } = generators("blind", 2);
  return { u: u[1]!, v: v[1]! };
}

/** Entries in a row of the matrix: (L − 1)(D + 1). */
export const rowLength = ({
  bucketCount,
  labelCount,
}: Pick<DirectMatrix, "bucketCount" | "labelCount">): number => (labelCount - 1) * (bucketCount + 1);

/** @throws CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE */
function requireDirectMatrix(matrix: DirectMatrix): void {
  const { rowCount, bucketCount, labelCount, values } = matrix;
  requireBuckets(bucketCount);
  if (!Number.isInteger(labelCount) || labelCount < 2 || labelCount > MAX_LABELS) {
    throw circuitError("CIR_FEATURES_INVALID", `${labelCount} labels; a model has 2 to ${MAX_LABELS}`, {
      data: { labelCount, max: MAX_LABELS },
    });
  }
  if (rowCount < 1 || values.length !== (rowCount + 1) * rowLength(matrix)) {
    throw circuitError(
      "CIR_FEATURES_INVALID",
      `${values.length} entries are no ${rowCount} + 1 rows of ${labelCount} − 1 contrasts of ${bucketCount} + 1`,
      { data: { rowCount, bucketCount, labelCount, entryCount: values.length } },
    );
  }
}

/**
 * Requires that the differences of all pairs of labels are in range. Contrasts are those of pairs with label 0.
 * @throws CIR_FEATURES_INVALID
 */
function requireEntries({ bucketCount, labelCount, values }: DirectMatrix): void {
  const columns = bucketCount + 1;
  const width = rowLength({ bucketCount, labelCount });
  for (let at = 0; at < values.length; at += width) {
    for (let a = 0; a < columns; a++) {
      // Label 0's entry is 0.
      let [min, max] = [0, 0];
      for (let from = at + a; from < at + width; from += columns) {
        min = Math.min(min, values[from]!);
        max = Math.max(max, values[from]!);
      }
      if (max - min <= MAX_DIRECT_ENTRY) continue;
      throw circuitError(
        "CIR_FEATURES_INVALID",
        `two labels' entries differ by ${max - min}, beyond ±${MAX_DIRECT_ENTRY}`,
        { data: { row: at / width, column: a, entry: max - min } },
      );
    }
  }
}

/**
 * Commitments of the contrasts, (L − 1)(D + 1) in the order of a row's entries: H' + Σ_k M_kj H_k + M_logit,j H_logit.
 * `pairTree` makes those of all pairs of them.
 * @throws CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE
 */
export function commitDirectColumns(
  matrix: DirectMatrix,
  onProgress: (rowsDone: number) => void = () => {},
): ColumnCommitments {
  requireDirectMatrix(matrix);
  requireEntries(matrix);
  const { rowCount, bucketCount, labelCount, values } = matrix;
  const rows = generators("row", rowCount);
  const logit = logitGenerator();
  const points = {
    u: [...rows.u.slice(0, rowCount), logit.u],
    v: [...rows.v.slice(0, rowCount), logit.v],
  };
  const columns = bucketCount + 1;
  const width = rowLength(matrix);
  const size = { featureCount: columns, maxEntry: MAX_DIRECT_ENTRY };
  // One contrast at a time: sums are kept for each size of an entry, 512 a column.
  const contrasts = Array.from({ length: labelCount - 1 }, (_, l) => {
    const ofLabel = new Int16Array((rowCount + 1) * columns);
    for (let k = 0; k <= rowCount; k++) {
      const from = k * width + l * columns;
      ofLabel.set(values.subarray(from, from + columns), k * columns);
    }
    return sumColumns(ofLabel, points, size, (done) =>
      onProgress(Math.floor((l * (rowCount + 1) + done) / (labelCount - 1))),
    );
  });
  return { u: contrasts.flatMap(({ u }) => u), v: contrasts.flatMap(({ v }) => v) };
}

/** 8 Σ_a count_a M_l,ka + L M_l,k,bias. Exact: below 2^23 for lawful counts. */
function rawScore(
  { bucketCount, labelCount, values }: DirectMatrix,
  counts: Uint8Array,
  { row, label, length }: { readonly row: number; readonly label: number; readonly length: number },
): number {
  if (label === 0) return 0;
  const at = row * rowLength({ bucketCount, labelCount }) + (label - 1) * (bucketCount + 1);
  let sum = 0;
  for (let a = 0; a < bucketCount; a++) sum += counts[a]! * values[at + a]!;
  return TERM_WEIGHT * sum + length * values[at + bucketCount]!;
}

function requireCountsOf({ bucketCount }: DirectMatrix, counts: Uint8Array): void {
  requireCounts(counts);
  if (counts.length === bucketCount) return;
  throw circuitError("CIR_QUERY_INVALID", `${counts.length} counts, for ${bucketCount} buckets`, {
    data: { countCount: counts.length, bucketCount },
  });
}

/**
 * Integer logit of each label: 8 Σ_a count_a M_a + L M_bias by its contrast's last row, label 0's 0. The recipe defines
 * the unit.
 * @throws CIR_QUERY_INVALID, CIR_FEATURES_INVALID, CIR_SETTLEMENT_SIZE
 */
export function directLogits(matrix: DirectMatrix, counts: Uint8Array): number[] {
  requireDirectMatrix(matrix);
  requireCountsOf(matrix, counts);
  const length = lengthOf(termTotal(counts));
  const row = matrix.rowCount;
  return Array.from({ length: matrix.labelCount }, (_, label) =>
    rawScore(matrix, counts, { row, label, length }),
  );
}

/** A model's answer, and the pair and class of its query. */
export interface DirectAnswer extends Pick<DirectQuery, "answeredClass" | "pair"> {
  readonly label: number;
  /** The next label by the logits. */
  readonly runnerUp: number;
}

/**
 * The model's answer: the label with the largest logit over the one with the next. Of equal logits the later label
 * goes first, as a pair's class has it. Every prompt has one.
 * @throws as `directLogits`
 */
export function answerOf(matrix: DirectMatrix, counts: Uint8Array): DirectAnswer {
  const logits = directLogits(matrix, counts);
  const order = logits.map((_, label) => label).sort((a, b) => logits[b]! - logits[a]! || b - a);
  const [label, runnerUp] = order as [number, number];
  const isLater = label > runnerUp;
  const pair = isLater ? pairPosition(runnerUp, label) : pairPosition(label, runnerUp);
  return { label, runnerUp, answeredClass: isLater ? 1 : 0, pair };
}

/**
 * Class of a pair of labels for a prompt: 1 if the later one's logit is the earlier one's or more.
 * @throws as `directLogits`, CIR_QUERY_INVALID for a pair that the model does not have
 */
export function answeredClass(matrix: DirectMatrix, counts: Uint8Array, pair: number): AnsweredClass {
  requirePair(pair, matrix.labelCount);
  const logits = directLogits(matrix, counts);
  const [i, j] = pairOf(pair);
  return logits[j]! >= logits[i]! ? 1 : 0;
}

/**
 * The scores of the N rows by the pair's B = M_j − M_i: 8 Σ_a count_a B_ka + L B_k,bias, negated where class 1 was
 * answered.
 * @throws CIR_QUERY_INVALID if the query's class is not the matrix' for its pair; as `answeredClass`
 */
export function directScores(matrix: DirectMatrix, query: DirectQuery): bigint[] {
  return directDraw(matrix, query).scores as bigint[];
}

/** True if a query's pair is the model's, and its class the pair's: no proof pays by another. @throws as `directLogits` */
export function isAnswer(
  matrix: DirectMatrix,
  { answeredClass: claimed, counts, pair }: DirectQuery,
): boolean {
  return pair < pairCount(matrix.labelCount) && claimed === answeredClass(matrix, counts, pair);
}

/** Inputs of DirectScores for one draw, besides start point and columns. Scores are signed hints. */
export interface DirectDraw {
  readonly counts: readonly number[];
  readonly answeredClass: AnsweredClass;
  readonly pair: number;
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
  const { counts, pair } = query;
  requireCountsOf(matrix, counts);
  requirePair(pair, matrix.labelCount);
  const [i, j] = pairOf(pair);
  const terms = termTotal(counts);
  const length = lengthOf(terms);
  const raw = Array.from(
    { length: matrix.rowCount + 1 },
    (_, row) =>
      rawScore(matrix, counts, { row, label: j, length }) -
      rawScore(matrix, counts, { row, label: i, length }),
  );
  const logit = raw.pop()!;
  const answered = logit >= 0 ? 1 : 0;
  if (query.answeredClass !== answered) {
    throw circuitError("CIR_QUERY_INVALID", `class ${query.answeredClass} is not the model's answer`, {
      data: { reason: "class-differs", answeredClass: query.answeredClass, pair, logit },
    });
  }
  const sign = answered === 1 ? -1n : 1n;
  return {
    counts: [...counts],
    answeredClass: answered,
    pair,
    scores: raw.map((score) => sign * BigInt(score)),
    logitDigits: sign * (2n * BigInt(logit) + 1n),
    blindScore: sign * BigInt(TERM_WEIGHT * terms + length),
  };
}

/** G, row-major N × d; or a direct model's contrasts. */
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
