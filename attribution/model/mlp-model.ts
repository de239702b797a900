import {
  contrastBasis,
  emptySensitivities,
  type Sensitivities,
  writeRow,
} from "../features/sensitivities.ts";
import { softmaxInPlace } from "../maths/exact-math.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { descend, type SgdOptions } from "../maths/sgd.ts";
import { type SparseRows, sparseFromDense } from "../maths/sparse-rows.ts";
import { allIndices, withBias } from "./logistic-model.ts";
import type { Examples, Model } from "./model.ts";

export interface MlpOptions {
  readonly inputCount: number;
  readonly hiddenCount: number;
  readonly classCount: number;
  readonly decay: number;
  readonly sgd: SgdOptions;
}

interface Shape {
  readonly inputCount: number;
  readonly hiddenCount: number;
  readonly classCount: number;
  /** Where the second layer's parameters begin. */
  readonly second: number;
}

/**
 * Two layers, with max(0, ·) between them. Parameters of a layer lie input after input, one a piece for each of its
 * outputs; a layer's bias is its last input.
 */
export function mlpModel(options: MlpOptions): Model {
  const { hiddenCount, classCount, decay } = options;
  const shape = { ...options, second: (options.inputCount + 1) * hiddenCount };
  const parameterCount = shape.second + (hiddenCount + 1) * classCount;
  const hidden = new Float64Array(hiddenCount);
  const logits = new Float64Array(classCount);

  return {
    parameterCount,
    decay,
    train: (examples, train = {}) =>
      descend(
        rowGradientOf(shape, examples),
        examples.labels.length,
        train.indices ?? allIndices(examples),
        train.start ?? startingPoint(shape, parameterCount, options.sgd.seed),
        { ...options.sgd, decay, onProgress: train.onProgress },
      ),
    losses: (parameters, { inputs, labels }) =>
      Float64Array.from(labels, (label, i) => {
        forward(shape, parameters, inputs, i, hidden, logits);
        const labelLogit = logits[label]!;
        return softmaxInPlace(logits, 0, classCount) - labelLogit;
      }),
    predict: (parameters, { inputs, labels }) =>
      labels.map((_, i) => {
        forward(shape, parameters, inputs, i, hidden, logits);
        return logits.indexOf(Math.max(...logits));
      }),
    sensitivities: (parameters, examples) => mlpSensitivities(shape, parameters, examples),
  };
}

/** Weights evenly in ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010), biases 0. */
function startingPoint(shape: Shape, parameterCount: number, seed: string): Float64Array {
  const { inputCount, hiddenCount, classCount, second } = shape;
  const random = new SeededRandom(`${seed}/start`);
  const x = new Float64Array(parameterCount);
  const first = Math.sqrt(6 / (inputCount + hiddenCount));
  for (let k = 0; k < inputCount * hiddenCount; k++) x[k] = first * (2 * random.nextFraction() - 1);
  const last = Math.sqrt(6 / (hiddenCount + classCount));
  for (let k = 0; k < hiddenCount * classCount; k++) x[second + k] = last * (2 * random.nextFraction() - 1);
  return x;
}

function forward(
  { inputCount, hiddenCount, classCount, second }: Shape,
  x: Float64Array,
  inputs: SparseRows,
  i: number,
  hidden: Float64Array,
  logits: Float64Array,
): void {
  const hiddenBias = inputCount * hiddenCount;
  for (let h = 0; h < hiddenCount; h++) hidden[h] = x[hiddenBias + h]!;
  for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
    const value = inputs.values[e]!;
    const at = inputs.columns[e]! * hiddenCount;
    for (let h = 0; h < hiddenCount; h++) hidden[h] = hidden[h]! + value * x[at + h]!;
  }
  const logitBias = second + hiddenCount * classCount;
  for (let c = 0; c < classCount; c++) logits[c] = x[logitBias + c]!;
  for (let h = 0; h < hiddenCount; h++) {
    if (hidden[h]! <= 0) {
      hidden[h] = 0;
      continue;
    }
    const at = second + h * classCount;
    for (let c = 0; c < classCount; c++) logits[c] = logits[c]! + hidden[h]! * x[at + c]!;
  }
}

function rowGradientOf(shape: Shape, { inputs, labels }: Examples) {
  const { inputCount, hiddenCount, classCount, second } = shape;
  const hidden = new Float64Array(hiddenCount);
  const logits = new Float64Array(classCount);
  const back = new Float64Array(hiddenCount);
  return (x: Float64Array, i: number, weight: number, gradient: Float64Array) => {
    forward(shape, x, inputs, i, hidden, logits);
    softmaxInPlace(logits, 0, classCount);
    logits[labels[i]!] = logits[labels[i]!]! - 1;
    const logitBias = second + hiddenCount * classCount;
    for (let c = 0; c < classCount; c++) {
      logits[c] = logits[c]! * weight;
      gradient[logitBias + c] = gradient[logitBias + c]! + logits[c]!;
    }
    const hiddenBias = inputCount * hiddenCount;
    for (let h = 0; h < hiddenCount; h++) {
      back[h] = 0;
      if (hidden[h] === 0) continue;
      const at = second + h * classCount;
      let sum = 0;
      for (let c = 0; c < classCount; c++) {
        sum += x[at + c]! * logits[c]!;
        gradient[at + c] = gradient[at + c]! + hidden[h]! * logits[c]!;
      }
      back[h] = sum;
      gradient[hiddenBias + h] = gradient[hiddenBias + h]! + sum;
    }
    for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
      const value = inputs.values[e]!;
      const at = inputs.columns[e]! * hiddenCount;
      for (let h = 0; h < hiddenCount; h++) gradient[at + h] = gradient[at + h]! + value * back[h]!;
    }
  };
}

function mlpSensitivities(shape: Shape, parameters: Float64Array, examples: Examples): Sensitivities {
  const { hiddenCount, classCount, second } = shape;
  const rowCount = examples.labels.length;
  const contrasts = contrastBasis(classCount);
  const contrastCount = classCount - 1;
  const out = emptySensitivities(rowCount, hiddenCount + contrastCount);
  const jacobian = new Float64Array(out.outputCount * classCount);
  jacobian.set(contrasts, hiddenCount * classCount);
  const activations = new Float64Array(rowCount * hiddenCount);
  const hidden = new Float64Array(hiddenCount);
  const logits = new Float64Array(classCount);
  for (let i = 0; i < rowCount; i++) {
    forward(shape, parameters, examples.inputs, i, hidden, logits);
    activations.set(hidden, i * hiddenCount);
    // A hidden output moves the logits by its row of the second layer, unless it is switched off.
    for (let h = 0; h < hiddenCount; h++) {
      for (let c = 0; c < classCount; c++) {
        jacobian[h * classCount + c] = hidden[h] === 0 ? 0 : parameters[second + h * classCount + c]!;
      }
    }
    const label = examples.labels[i]!;
    const labelLogit = logits[label]!;
    const loss = softmaxInPlace(logits, 0, classCount) - labelLogit;
    writeRow(out, i, jacobian, logits, label, loss);
  }
  return {
    ...out,
    layers: [
      { outputOffset: 0, outputCount: hiddenCount, inputs: withBias(examples.inputs) },
      {
        outputOffset: hiddenCount,
        outputCount: contrastCount,
        inputs: withBias(sparseFromDense(activations, rowCount, hiddenCount)),
      },
    ],
  };
}
