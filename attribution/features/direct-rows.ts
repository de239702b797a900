/**
 * The matrix that a direct model registers: how much each row of its version moved the model's parameters. A direct
 * model is a softmax regression of any number of labels, and its query is the list of the prompt's counts; so nothing
 * has to be projected (docs/explanation/attribution-proof.md). direct-training.ts computes it; registration,
 * verification and scores read it as `DirectFeatures`.
 *
 * Row k's influence is v_k = (H + λ)⁻¹ g_k: g_k is the gradient of row k's loss, H the mean of all rows' Hessians, λ
 * the recipe's damping. It has a part for each label, and the matrix has what each label l = 1 … L − 1 differs from
 * label 0: M_kl = v_kl − v_k0. For an answer that compares labels i < j, (M_ki − M_kj) · x is, up to a positive factor
 * of the query alone, by how much row k raised the lead of j over i at x. Scores of the other answer have the other sign.
 */
import { choleskyInPlace, solveCholesky } from "../maths/dense-matrix.ts";
import { renumberColumns, usedColumns } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { gaussNewton, writeGradients } from "./exact-influence.ts";
import { labelInfluence } from "./label-influence.ts";
import type { QuantisedFeatures } from "./quantise.ts";
import { contrastBasis, type Sensitivities } from "./sensitivities.ts";

/** Contrasts of N rows, and behind them those of the labels' logits, which have a scale of their own. */
export interface DirectFeatures {
  /**
   * (N + 1) × (labelCount − 1) × featureCount, row-major: of each row the contrasts of labels 1 … L − 1 against label 0,
   * each with its bias last.
   */
  readonly values: Int16Array;
  /** N. */
  readonly rowCount: number;
  /** L. */
  readonly labelCount: number;
  /** Buckets and the bias. */
  readonly featureCount: number;
  /** One unit of the N rows in real units. */
  readonly scale: number;
}

/** Matrix that a model registers: G, the int8 features of its rows, or a direct model's contrasts. */
export type RegisteredMatrix = QuantisedFeatures | DirectFeatures;

export function isDirect(features: RegisteredMatrix): features is DirectFeatures {
  return features.values instanceof Int16Array;
}

/** Entries of one row in the registered matrix. */
export const rowWidth = (features: RegisteredMatrix): number =>
  features.featureCount * (isDirect(features) ? features.labelCount - 1 : 1);

/** Rows that are solved at a time: their right-hand sides stay small. */
const BLOCK = 512;

/** Parts of vectors for each label: labels × rows × inputs. A row's parts add up to 0. */
export interface LabelParts {
  readonly values: Float64Array;
  readonly labelCount: number;
  readonly rowCount: number;
  /** Column in a row of buckets and the bias at which each input lies. */
  readonly columns: Int32Array;
}

interface RowInfluenceOptions {
  /** λ: what is added to the Hessian's diagonal. */
  readonly damping: number;
  /** Buckets and the bias. */
  readonly featureCount: number;
  /** Scale of each bucket by which the model sees its counts (inputs/bucket-scales.ts). */
  readonly scales: Float64Array;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Influence of each row on what each label weighs a count by, over the inputs that some row has: on a bucket's weight, times the scale by
 * which the model sees its counts, and on the bias.
 */
export function rowInfluence(
  rows: Sensitivities,
  { damping, featureCount, onProgress, scales }: RowInfluenceOptions,
): LabelParts {
  const { position, count } = usedColumns(rows.inputs);
  const aligned = { ...rows, inputs: renumberColumns(rows.inputs, position, count) };
  const { labelCount, rowCount } = rows;
  const columns = new Int32Array(count);
  // The bias is the last input.
  for (const [input, at] of position.entries())
    if (at >= 0) columns[at] = input === position.length - 1 ? featureCount - 1 : input;
  const size = count * (labelCount - 1);
  const values =
    wholeCost(size, rowCount) <= blocksCost(labelCount, count, rowCount)
      ? wholeInfluence(aligned, damping, onProgress)
      : labelInfluence(aligned, damping, onProgress);
  const factors = Float64Array.from(columns, (column) => scales[column] ?? 1);
  for (let at = 0; at < values.length; at++) values[at] = values[at]! * factors[at % count]!;
  return { values, labelCount, rowCount, columns };
}

/** Bytes that `rowInfluence` and the registered matrix take. @param width buckets and the bias, or fewer that are used */
export function influenceBytes(rowCount: number, labelCount: number, width: number): number {
  const size = width * (labelCount - 1);
  const isWhole = wholeCost(size, rowCount) <= blocksCost(labelCount, width, rowCount);
  const matrices = isWhole
    ? size ** 2 + rowCount * size
    : rowCount * width + 3 * rowCount ** 2 + 2 * width ** 2;
  const registered = (rowCount + 1) * size * Int16Array.BYTES_PER_ELEMENT;
  return (labelCount * rowCount * width + matrices) * Float64Array.BYTES_PER_ELEMENT + registered;
}

/** Operations of one factor of the whole Hessian, and of its solutions. */
const wholeCost = (size: number, rowCount: number) => size ** 2 * (size / 3 + 2 * rowCount);
/** Operations of label-influence.ts. */
const blocksCost = (labelCount: number, width: number, rowCount: number) =>
  labelCount * (width ** 3 / 3 + 2 * width ** 2 * rowCount + 4 * width * rowCount ** 2) + rowCount ** 3;

/** The same as `labelInfluence`, by a factor of the Hessian itself: cheaper for few labels and many rows. */
function wholeInfluence(rows: Sensitivities, damping: number, onProgress?: OnProgress): Float64Array {
  const { inputs, labelCount, outputCount, rowCount } = rows;
  const width = inputs.columnCount;
  const size = width * outputCount;
  const total = rowCount + 1;
  onProgress?.({ stage: "influence", done: 0, total });
  const factor = gaussNewton(rows, damping);
  choleskyInPlace(factor, size);
  const solved = writeGradients(rows, size);
  const basis = contrastBasis(labelCount);
  const out = new Float64Array(labelCount * rowCount * width);
  for (let from = 0; from < rowCount; from += BLOCK) {
    const to = Math.min(from + BLOCK, rowCount);
    solveCholesky(factor, size, solved.subarray(from * size, to * size), to - from);
    for (let label = 0; label < labelCount; label++)
      for (let k = from; k < to; k++)
        for (let input = 0; input < width; input++) {
          let sum = 0;
          for (let b = 0; b < outputCount; b++)
            sum += basis[b * labelCount + label]! * solved[k * size + input * outputCount + b]!;
          out[(label * rowCount + k) * width + input] = sum;
        }
    onProgress?.({ stage: "influence", done: to + 1, total });
  }
  return out;
}

/** Length of each row over all of its labels' parts. */
export function partLengths({ columns, labelCount, rowCount, values }: LabelParts): Float64Array {
  const squares = new Float64Array(rowCount);
  for (let label = 0; label < labelCount; label++)
    for (let k = 0; k < rowCount; k++) {
      const from = (label * rowCount + k) * columns.length;
      for (let at = from; at < from + columns.length; at++)
        squares[k] = squares[k]! + values[at]! * values[at]!;
    }
  return squares.map(Math.sqrt);
}

/**
 * Least margin by which the largest difference stays below the largest entry: so two entries that are rounded on their
 * own cannot differ by more.
 */
const MARGIN = 1 + 2 ** -40;

/**
 * Contrasts of labels against label 0 as integers at one scale: the least with which no two labels' entries of a row
 * differ by more than `max`. Halves are rounded up.
 * @param factors of the rows, by which a rule shortens them. @param featureCount buckets and the bias
 * @returns rows × (labels − 1) × featureCount, and one unit in real units
 */
export function quantiseContrasts(
  { columns, labelCount, rowCount, values }: LabelParts,
  { factors, featureCount, max }: { factors: ArrayLike<number>; featureCount: number; max: number },
): { readonly values: Int16Array; readonly scale: number } {
  const width = columns.length;
  const partAt = (label: number, k: number, input: number) =>
    values[(label * rowCount + k) * width + input]! * factors[k]!;
  let largest = 0;
  for (let k = 0; k < rowCount; k++)
    for (let input = 0; input < width; input++) {
      let [low, high] = [partAt(0, k, input), partAt(0, k, input)];
      for (let label = 1; label < labelCount; label++) {
        const part = partAt(label, k, input);
        if (part < low) low = part;
        if (part > high) high = part;
      }
      if (high - low > largest) largest = high - low;
    }
  const scale = (largest * MARGIN) / max || 1;
  const out = new Int16Array(rowCount * (labelCount - 1) * featureCount);
  for (let k = 0; k < rowCount; k++)
    for (let label = 1; label < labelCount; label++) {
      const at = (k * (labelCount - 1) + label - 1) * featureCount;
      for (const [input, column] of columns.entries())
        out[at + column] = Math.floor((partAt(label, k, input) - partAt(0, k, input)) / scale + 0.5);
    }
  return { values: out, scale };
}
