import { alignColumns, exactInfluence } from "../features/exact-influence.ts";
import { logisticCoordinates } from "../features/logistic-coordinates.ts";
import { usedColumns } from "../maths/sparse-rows.ts";
import { logisticModel, withBias } from "../model/logistic-model.ts";
import { mlpModel } from "../model/mlp-model.ts";
import type { Examples } from "../model/model.ts";
import { pickRows, splitIndices } from "../rows/labelled-rows.ts";
import { loadMnist } from "../rows/mnist-digits.ts";
import type { QualityCase } from "./quality.ts";

/** How much to measure. `full` has dattri's 5,000 rows and 500 queries; `quick` shows in seconds that all runs. */
export type CaseSize = "full" | "quick";

const CLASS_COUNT = 10;
/** Best accuracy on held-out digits among 0.01, 0.003 and 0.001. */
const LOGISTIC_DECAY = 0.003;
const MLP_DECAY = 0.001;
/** The perceptron is not at an optimum. Best LDS among 0.001, 0.01 and 0.03 on 2,000 rows and 16 subsets of their own. */
const MLP_DAMPING = 0.01;
/** Losses of retrained models are right to about this; their differences between subsets are a thousand times larger. */
const RETRAIN_TOLERANCE = 1e-5;
/** The effect of one row of 5,000 on a loss is 10⁻⁵ and less. */
const LEAVE_ONE_OUT_TOLERANCE = 1e-9;

/** Multinomial logistic regression, trained to its optimum. */
export function mnistLogisticCase(size: CaseSize): QualityCase {
  const isFull = size === "full";
  const side = isFull ? 28 : 14;
  const seed = "mnist-logistic";
  const model = logisticModel({
    inputCount: side * side,
    classCount: CLASS_COUNT,
    decay: LOGISTIC_DECAY,
  });
  return {
    ...digits(side, isFull ? { trainCount: 5000, testCount: 500 } : { trainCount: 300, testCount: 40 }, seed),
    model,
    damping: LOGISTIC_DECAY,
    featureCount: isFull ? 1024 : 256,
    trak: isFull ? { ensembleSize: 20, featureCount: 512 } : { ensembleSize: 2, featureCount: 128 },
    subsetCount: isFull ? 100 : 12,
    leaveOneOutCount: isFull ? 100 : 6,
    mislabelled: { rowCount: isFull ? 1000 : 200, wrongPart: 0.1 },
    seed,
    retrain: (rows, indices, full) =>
      model.trainWith(rows, { indices, start: full }, { tolerance: RETRAIN_TOLERANCE }),
    retrainWithout: (rows, full) => {
      const precondition = inverseHessian(rows, full);
      const all = Int32Array.from(rows.labels.keys());
      return (index) =>
        model.trainWith(
          rows,
          { indices: all.filter((i) => i !== index), start: full },
          { tolerance: LEAVE_ONE_OUT_TOLERANCE, precondition },
        );
    },
  };

  /** The Hessian of all rows, inverted: without one row it is nearly the same, so a few steps reach the optimum. */
  function inverseHessian(rows: Examples, full: Float64Array): (v: Float64Array) => void {
    const sensitivities = model.sensitivities(full, rows);
    const influence = exactInfluence(alignColumns(sensitivities, sensitivities).rows, LOGISTIC_DECAY);
    const coordinates = logisticCoordinates(usedColumns(withBias(rows.inputs)).position, CLASS_COUNT);
    return (v) => {
      const x = coordinates.fromParameters(v);
      influence.solve(x);
      coordinates.toParameters(x, v);
    };
  }
}

/** A perceptron with one hidden layer on 14 × 14 pixels, trained by stochastic gradient descent from one start. */
export function mnistMlpCase(size: CaseSize): QualityCase {
  const isFull = size === "full";
  const side = 14;
  const seed = "mnist-mlp";
  const model = mlpModel({
    inputCount: side * side,
    hiddenCount: isFull ? 16 : 8,
    classCount: CLASS_COUNT,
    decay: MLP_DECAY,
    sgd: { epochs: 20, batchSize: 50, rate: 0.05, momentum: 0.9, seed },
  });
  return {
    ...digits(side, isFull ? { trainCount: 5000, testCount: 500 } : { trainCount: 300, testCount: 40 }, seed),
    model,
    damping: MLP_DAMPING,
    featureCount: isFull ? 1024 : 256,
    trak: isFull ? { ensembleSize: 50, featureCount: 512 } : { ensembleSize: 2, featureCount: 128 },
    subsetCount: isFull ? 100 : 12,
    leaveOneOutCount: isFull ? 100 : 6,
    mislabelled: { rowCount: isFull ? 1000 : 200, wrongPart: 0.1 },
    seed,
  };
}

function digits(side: 14 | 28, sizes: { trainCount: number; testCount: number }, seed: string) {
  const all = loadMnist(side);
  const { train, test } = splitIndices(all.labels.length, sizes, seed);
  return { rows: pickRows(all, train), queries: pickRows(all, test) };
}
