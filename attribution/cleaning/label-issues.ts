/**
 * Rows that a reviewer should look at first: contradicted labels and rows unlike the others, each with a score
 * of its own and its measured AUC (docs/explanation/attribution-methods.md, "Wrong labels"). Input is public
 * data, and the result has the same bytes on every machine. datanets/cleaning/ shows them to reviewers.
 */
import { attributionError } from "../attribution-errors.ts";
import { weightedProducts } from "../features/exact-influence.ts";
import { choleskyInPlace, solveLower } from "../maths/dense-matrix.ts";
import { type SparseRows, selectRows, transposeSparse, writeDenseRow } from "../maths/sparse-rows.ts";
import { logisticModel, withBias } from "../model/direct/logistic-model.ts";
import { confusionOf, type HeldOut, heldOut, rightCount } from "../model/held-out-odds.ts";
import type { OnProgress } from "../progress.ts";

export interface LabelIssues {
  /** Likeliest label of each row by a model of the other folds' rows; the row's own where `isJudged` is 0. */
  readonly predicted: Int32Array;
  /** 1 where such a model can judge: the other folds have two labels at least, the row's among them. */
  readonly isJudged: Uint8Array;
  /** What such a model was not trained on: the row's contributor, or with fewer than five of them only the row and others of its fold. */
  readonly without: "contributor" | "row";
  /** Part of the judged rows whose label it finds likeliest. */
  readonly accuracy: number;
  /**
   * By label: true where the models know it, so that a contradiction means something: the part of its judged rows of which they say it is
   * larger by a third than the part of all others. A model that says the commonest label of every row knows none.
   */
  readonly isKnown: readonly boolean[];
  /**
   * 0 … 1: p(best other label) / (p(best other label) + p(label)), held out. Above ½: contradicted. 0 if not judged.
   */
  readonly contradiction: Float64Array;
  /** Loss that the row takes off itself in a model of all rows, in that model's units; ≥ 0. High: suspicious. */
  readonly selfInfluence: Float64Array;
  /** Leverage of the row's input among all inputs, whatever its label; ≥ 0. High: unlike the others. */
  readonly outlier: Float64Array;
}

export interface LabelIssueOptions {
  /**
   * Owner of each row, any numbers. With five or more owners, folds are of owners: nobody's own rows vouch for theirs.
   */
  readonly owners?: ArrayLike<number>;
  /** Stages "train", "held-out", "outliers". */
  readonly onProgress?: OnProgress;
}

const FOLDS = 5;
const DECAY = 0.001;
const TOLERANCE = 1e-4;
/** Ridge of the inputs' second moments. Measured: 0.001 … 0.01 are alike. */
const RIDGE = 0.003;
/** Rows that are dense at a time. */
const CHUNK = 1_024;

/**
 * Scores each row. 1,000 rows take about a second with 512 columns; time and memory grow with the square of the fewer of both as well.
 * @param rows as `inputRows` makes them (rows/row-content.ts): measured with 512 buckets, and with 14 × 14 pixels
 * @param labels class numbers from 0
 * @throws ATT_INPUT_INVALID where labels or owners are not one a row, or a label is no class number
 */
export function labelIssues(
  rows: SparseRows,
  labels: Int32Array,
  options: LabelIssueOptions = {},
): LabelIssues {
  const { owners, onProgress } = options;
  const { rowCount } = rows;
  const isFit = labels.length === rowCount && (owners === undefined || owners.length === rowCount);
  if (!isFit || labels.some((label) => label < 0)) {
    throw attributionError("ATT_INPUT_INVALID", `${rowCount} rows, ${labels.length} labels`, {
      data: {
        reason: "size-mismatch",
        rowCount,
        labelCount: labels.length,
        ownerCount: owners?.length ?? null,
      },
    });
  }
  if (rowCount === 0) {
    const none = new Float64Array(0);
    return {
      predicted: new Int32Array(0),
      isJudged: new Uint8Array(0),
      without: "row",
      accuracy: 0,
      isKnown: [],
      contradiction: none,
      selfInfluence: none,
      outlier: none,
    };
  }
  const classCount =
    Math.max(
      1,
      labels.reduce((max, label) => Math.max(max, label), 0),
    ) + 1;
  const model = logisticModel({
    inputCount: rows.columnCount,
    classCount,
    decay: DECAY,
    tolerance: TOLERANCE,
  });
  const examples = { inputs: rows, labels };
  const progress = onProgress === undefined ? {} : { onProgress };
  const start = model.train(examples, progress);
  const without = owners !== undefined && new Set(Array.from(owners)).size >= FOLDS ? "contributor" : "row";
  const held = heldOut(model, examples, {
    folds: foldsOf(rowCount, without === "contributor" ? owners : undefined),
    foldCount: FOLDS,
    classCount,
    ...progress,
  });
  const outlier = leverages(withBias(rows), onProgress);
  const { outputCount, residuals } = model.sensitivities(start, examples);
  return {
    predicted: held.predicted,
    isJudged: held.isJudged,
    without,
    ...knowledgeOf(held, labels, classCount),
    contradiction: held.odds.map((odds, i) => (held.isJudged[i] === 1 ? 1 / (1 + odds) : 0)),
    selfInfluence: outlier.map((leverage, i) => {
      let squares = 0;
      for (let o = i * outputCount; o < (i + 1) * outputCount; o++) squares += residuals[o]! * residuals[o]!;
      return squares * leverage;
    }),
    outlier,
  };
}

/** Minimum of what a model knows of a label: Youden's J, its recall less its part of false alarms. Guess. */
const MIN_KNOWLEDGE = 1 / 3;

function knowledgeOf(
  { isJudged, predicted }: HeldOut,
  labels: Int32Array,
  classCount: number,
): Pick<LabelIssues, "accuracy" | "isKnown"> {
  const judged = [...labels.keys()].filter((i) => isJudged[i] === 1);
  const confusion = confusionOf(
    classCount,
    judged.map((i) => [labels[i]!, predicted[i]!]),
  );
  const counts = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const partOf = (said: number, of: readonly number[]) =>
    of.reduce((sum, label) => sum + confusion[label]![said]!, 0) /
    Math.max(
      1,
      of.reduce((sum, label) => sum + counts[label]!, 0),
    );
  const classes = [...counts.keys()];
  return {
    accuracy: rightCount(confusion) / Math.max(1, judged.length),
    isKnown: classes.map((label) => {
      const others = classes.filter((other) => other !== label);
      return partOf(label, [label]) - partOf(label, others) >= MIN_KNOWLEDGE;
    }),
  };
}

/** @param owners whose rows share a fold; undefined: each row is by itself */
function foldsOf(rowCount: number, owners: ArrayLike<number> | undefined): Int32Array {
  const positions = new Map<number, number>();
  const foldOf = (i: number) => {
    const owner = owners?.[i] ?? i;
    const position = positions.get(owner) ?? positions.size;
    positions.set(owner, position);
    return position % FOLDS;
  };
  return Int32Array.from({ length: rowCount }, (_, i) => foldOf(i));
}

/**
 * xᵀ (XᵀX / n + ridge)⁻¹ x of each row x. A row's self-influence is this times its squared residual, where the loss
 * curves alike in all directions of the labels (K-FAC's product form with the identity, arXiv 1503.05671).
 */
function leverages(inputs: SparseRows, onProgress: OnProgress | undefined): Float64Array {
  const { columnCount, rowCount } = inputs;
  onProgress?.({ stage: "outliers", done: 0, total: rowCount });
  const out = rowCount < columnCount ? leveragesByRows(inputs) : leveragesByColumns(inputs);
  onProgress?.({ stage: "outliers", done: rowCount, total: rowCount });
  return out;
}

/** By a factor of columns × columns. */
function leveragesByColumns(inputs: SparseRows): Float64Array {
  const { columnCount: width, rowCount } = inputs;
  const factor = weightedProducts(inputs, inputs, new Float64Array(rowCount).fill(1 / rowCount));
  for (let k = 0; k < width; k++) factor[k * width + k] = factor[k * width + k]! + RIDGE;
  choleskyInPlace(factor, width);
  const out = new Float64Array(rowCount);
  for (let from = 0; from < rowCount; from += CHUNK) {
    const count = Math.min(CHUNK, rowCount - from);
    const some = selectRows(
      inputs,
      Int32Array.from({ length: count }, (_, k) => from + k),
    );
    const dense = new Float64Array(count * width);
    for (let k = 0; k < count; k++) writeDenseRow(some, k, dense.subarray(k * width, (k + 1) * width));
    solveLower(factor, width, dense, count);
    for (let k = 0; k < count; k++) out[from + k] = squaresOf(dense, k, width);
  }
  return out;
}

/**
 * By a factor of rows × rows, M = XXᵀ / n + ridge: XXᵀ M⁻¹ = n (1 − ridge · M⁻¹), whose diagonal is the leverages. The
 * diagonal of M⁻¹ is at most 1 / ridge.
 */
function leveragesByRows(inputs: SparseRows): Float64Array {
  const { rowCount } = inputs;
  const columns = transposeSparse(inputs);
  const factor = weightedProducts(columns, columns, new Float64Array(columns.rowCount).fill(1 / rowCount));
  for (let k = 0; k < rowCount; k++) factor[k * rowCount + k] = factor[k * rowCount + k]! + RIDGE;
  choleskyInPlace(factor, rowCount);
  const out = new Float64Array(rowCount);
  for (let from = 0; from < rowCount; from += CHUNK) {
    const count = Math.min(CHUNK, rowCount - from);
    const units = new Float64Array(count * rowCount);
    for (let k = 0; k < count; k++) units[k * rowCount + from + k] = 1;
    solveLower(factor, rowCount, units, count);
    for (let k = 0; k < count; k++)
      out[from + k] = rowCount * Math.max(0, 1 - RIDGE * squaresOf(units, k, rowCount));
  }
  return out;
}

function squaresOf(rows: Float64Array, row: number, width: number): number {
  let squares = 0;
  for (let j = row * width; j < (row + 1) * width; j++) squares += rows[j]! * rows[j]!;
  return squares;
}
