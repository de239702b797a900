/**
 * Multinomial logistic regression on sparse inputs. Direct models (classifiers, whose query is the prompt's counts)
 * are such models, and the checks of labels in cleaning/ and datanet-check.ts train them. Loss: mean of the rows'
 * cross-entropies in nats, each times the weight of its label, plus λ/2 · |θ|², θ being the parameters.
 */
import { contrastBasis, type Sensitivities, writeRow } from "../../features/sensitivities.ts";
import { softmaxInPlace } from "../../maths/exact-math.ts";
import { type LbfgsOptions, minimise } from "../../maths/lbfgs.ts";
import type { SparseRows } from "../../maths/sparse-rows.ts";
import type { Examples, Model, TrainOptions } from "../model.ts";

export interface LogisticOptions {
  readonly inputCount: number;
  readonly classCount: number;
  /** λ of λ/2 · |θ|². */
  readonly decay: number;
  /** Weight of a row by its label, above 0; default 1 each. */
  readonly labelWeights?: readonly number[] | undefined;
  /** `LbfgsOptions.tolerance`; default 1e-7. */
  readonly tolerance?: number;
}

/** Gradient's length, as a part of max(1, |θ|), at which training ends unless a recipe says otherwise. */
const DEFAULT_TOLERANCE = 1e-7;
/** L-BFGS steps after which training ends at any rate. */
const MAX_ITERATIONS = 2000;

/** Weight of a row's loss: its label's times its own. */
type WeightOfRow = (examples: Examples, row: number) => number;

/** Logistic model. Parameters lie input after input, `classCount` for each; the bias is the last input. */
export function logisticModel(options: LogisticOptions): Model & {
  /** Trains like `train`, with full control of the minimiser. */
  trainWith(examples: Examples, train: TrainOptions, minimiser: Partial<LbfgsOptions>): Float64Array;
} {
  const { classCount, decay } = options;
  const parameterCount = (options.inputCount + 1) * classCount;
  const logits = new Float64Array(classCount);
  const weightOf: WeightOfRow = ({ labels, weights }, i) =>
    (options.labelWeights?.[labels[i]!] ?? 1) * (weights?.[i] ?? 1);

  const trainWith = (examples: Examples, train: TrainOptions, minimiser: Partial<LbfgsOptions>) => {
    const indices = train.indices ?? allIndices(examples);
    const start = train.start ?? new Float64Array(parameterCount);
    const objective = (x: Float64Array, gradient: Float64Array) => {
      gradient.fill(0);
      let loss = 0;
      for (const i of indices) {
        loss += rowGradient(x, examples, i, { logits, weight: weightOf(examples, i) }, gradient);
      }
      let squares = 0;
      for (let k = 0; k < parameterCount; k++) {
        squares += x[k]! * x[k]!;
        gradient[k] = gradient[k]! / indices.length + decay * x[k]!;
      }
      return loss / indices.length + (decay / 2) * squares;
    };
    return minimise(objective, start, {
      maxIterations: MAX_ITERATIONS,
      tolerance: options.tolerance ?? DEFAULT_TOLERANCE,
      ...(train.onProgress === undefined ? {} : { onProgress: train.onProgress }),
      ...minimiser,
    }).x;
  };

  return {
    parameterCount,
    decay,
    trainWith,
    train: (examples, train = {}) => trainWith(examples, train, {}),
    losses(parameters, examples) {
      return Float64Array.from(examples.labels, (label, i) => {
        writeLogits(parameters, examples.inputs, i, logits);
        const labelLogit = logits[label]!;
        return softmaxInPlace(logits, 0, classCount) - labelLogit;
      });
    },
    sensitivities: (parameters, examples) =>
      logisticSensitivities(parameters, examples, classCount, weightOf),
  };
}

function logisticSensitivities(
  parameters: Float64Array,
  examples: Examples,
  classCount: number,
  weightOf: WeightOfRow,
): Sensitivities {
  const rowCount = examples.labels.length;
  const outputCount = classCount - 1;
  const jacobian = contrastBasis(classCount);
  const out: Sensitivities = {
    rowCount,
    outputCount,
    inputs: withBias(examples.inputs),
    residuals: new Float64Array(rowCount * outputCount),
    curvatures: new Float64Array(rowCount * outputCount * outputCount),
    labels: examples.labels,
    labelCount: classCount,
    probabilities: new Float64Array(rowCount * classCount),
    weights: new Float64Array(rowCount),
  };
  const logits = new Float64Array(classCount);
  for (let i = 0; i < rowCount; i++) {
    writeLogits(parameters, examples.inputs, i, logits);
    softmaxInPlace(logits, 0, classCount);
    const label = examples.labels[i]!;
    writeRow(out, i, jacobian, logits, label, weightOf(examples, i));
  }
  return out;
}

/** The same rows with a last column of ones. */
export function withBias(rows: SparseRows): SparseRows {
  const starts = rows.starts.map((start, i) => start + i);
  const columns = new Int32Array(rows.columns.length + rows.rowCount);
  const values = new Float64Array(columns.length);
  for (let i = 0; i < rows.rowCount; i++) {
    const from = rows.starts[i]!;
    const to = rows.starts[i + 1]!;
    columns.set(rows.columns.subarray(from, to), starts[i]!);
    values.set(rows.values.subarray(from, to), starts[i]!);
    columns[starts[i + 1]! - 1] = rows.columnCount;
    values[starts[i + 1]! - 1] = 1;
  }
  return { rowCount: rows.rowCount, columnCount: rows.columnCount + 1, starts, columns, values };
}

function allIndices(examples: Examples): Int32Array {
  return Int32Array.from({ length: examples.labels.length }, (_, i) => i);
}

/** Writes the row's logits: Wᵀ x plus the bias, one for each class. */
function writeLogits(parameters: Float64Array, inputs: SparseRows, i: number, logits: Float64Array): void {
  const classCount = logits.length;
  const bias = inputs.columnCount * classCount;
  for (let c = 0; c < classCount; c++) logits[c] = parameters[bias + c]!;
  for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
    const value = inputs.values[e]!;
    const at = inputs.columns[e]! * classCount;
    for (let c = 0; c < classCount; c++) logits[c] = logits[c]! + value * parameters[at + c]!;
  }
}

/** Adds the row's weighed gradient and returns its weighed loss. */
function rowGradient(
  parameters: Float64Array,
  { inputs, labels }: Examples,
  i: number,
  { logits, weight }: { readonly logits: Float64Array; readonly weight: number },
  gradient: Float64Array,
): number {
  const classCount = logits.length;
  writeLogits(parameters, inputs, i, logits);
  const label = labels[i]!;
  const labelLogit = logits[label]!;
  const loss = softmaxInPlace(logits, 0, classCount) - labelLogit;
  logits[label] = logits[label]! - 1;
  if (weight !== 1) for (let c = 0; c < classCount; c++) logits[c] = weight * logits[c]!;
  const bias = inputs.columnCount * classCount;
  for (let c = 0; c < classCount; c++) gradient[bias + c] = gradient[bias + c]! + logits[c]!;
  for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
    const value = inputs.values[e]!;
    const at = inputs.columns[e]! * classCount;
    for (let c = 0; c < classCount; c++) gradient[at + c] = gradient[at + c]! + value * logits[c]!;
  }
  return weight * loss;
}
