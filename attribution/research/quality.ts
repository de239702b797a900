import { SeededRandom } from "../maths/seeded-random.ts";
import { accuracy as accuracyOf, type Examples, type Model } from "../model/model.ts";
import { type LabelledRows, pickRows, relabel, wrongLabels } from "../rows/labelled-rows.ts";
import {
  allScores,
  allSelfScores,
  METHODS,
  type Method,
  type MethodOptions,
  type Trained,
} from "./method-scores.ts";
import {
  difference,
  type Estimate,
  groupAttributions,
  leaveOneOutCorrelation,
  linearDatamodelingScore,
  mislabelAuc,
} from "./quality-metrics.ts";

/** A data set and model to measure the methods on, and how much to measure. */
export interface QualityCase extends MethodOptions {
  readonly model: Model;
  readonly rows: LabelledRows;
  readonly queries: LabelledRows;
  /** Random halves of the rows that the model is trained on again. */
  readonly subsetCount: number;
  /** Rows that are left out, one at a time. */
  readonly leaveOneOutCount: number;
  /** Rows of the separate model that is trained with wrong labels, and the part that is wrong. */
  readonly mislabelled: { readonly rowCount: number; readonly wrongPart: number };
  /** How the model is trained again: as `train` unless there is a faster way to the same end. */
  retrain?(rows: Examples, indices: Int32Array, full: Float64Array): Float64Array;
  retrainWithout?(rows: Examples, full: Float64Array): (index: number) => Float64Array;
}

export interface MethodQuality {
  readonly lds: number;
  readonly ldsLow: number;
  readonly ldsHigh: number;
  readonly loo: number;
  readonly looLow: number;
  readonly looHigh: number;
  readonly auc: number;
  readonly aucLow: number;
  readonly aucHigh: number;
}

export interface QualityReport {
  readonly methods: Record<Method, MethodQuality>;
  /** LDS of the int8 scores minus that of exact influence, on the same bootstrap samples. */
  readonly provenMinusExact: { readonly lds: number; readonly low: number; readonly high: number };
  readonly accuracy: number;
}

export function measureQuality(given: QualityCase): QualityReport {
  const { model, seed, log = () => {} } = given;
  const rows = examplesOf(given.rows);
  const queries = examplesOf(given.queries);
  log("training");
  const trained = trainOn(given, rows);
  const accuracy = accuracyOf(model, trained.parameters, queries);
  const scores = allScores(trained, queries, given);
  const n = rows.labels.length;

  log(`training ${given.subsetCount} times on halves`);
  const subsets = Array.from({ length: given.subsetCount }, (_, k) =>
    new SeededRandom(`${seed}/subset/${k}`).subset(n, Math.floor(n / 2)),
  );
  const outputs = subsets.map((subset) =>
    model.losses(trained.retrain(subset), queries).map((loss) => -loss),
  );

  log(`training ${given.leaveOneOutCount} times without one row`);
  const leftOut = new SeededRandom(`${seed}/left-out`).subset(n, given.leaveOneOutCount);
  const fullLosses = model.losses(trained.parameters, queries);
  const retrainWithout =
    given.retrainWithout?.(rows, trained.parameters) ??
    ((index: number) => trained.retrain(Int32Array.from(rows.labels.keys()).filter((i) => i !== index)));
  const effects = Array.from(leftOut, (index) =>
    model.losses(retrainWithout(index), queries).map((loss, q) => loss - fullLosses[q]!),
  );

  log(`wrong labels: ${given.mislabelled.rowCount} rows`);
  const { selfScores, isWrong } = mislabelledScores(given);

  log("correlations");
  const lds = eachMethod((method) =>
    linearDatamodelingScore(groupAttributions(scores[method], n, subsets), outputs, seed),
  );
  const methods = eachMethod((method): MethodQuality => {
    const predicted = Array.from(leftOut, (index) =>
      Float64Array.from(queries.labels, (_, q) => scores[method][q * n + index]!),
    );
    const loo = leaveOneOutCorrelation(predicted, effects, seed);
    const auc = mislabelAuc(selfScores[method], isWrong, seed);
    return {
      lds: lds[method].value,
      ldsLow: lds[method].low,
      ldsHigh: lds[method].high,
      loo: loo.value,
      looLow: loo.low,
      looHigh: loo.high,
      auc: auc.value,
      aucLow: auc.low,
      aucHigh: auc.high,
    };
  });
  const gap: Estimate = difference(lds.proven, lds.exactInfluence);
  return { methods, provenMinusExact: { lds: gap.value, low: gap.low, high: gap.high }, accuracy };
}

function examplesOf(rows: LabelledRows): Examples {
  return { inputs: rows.features, labels: rows.labels };
}

function trainOn(given: QualityCase, rows: Examples): Trained {
  const { model } = given;
  const parameters = model.train(rows);
  return {
    model,
    parameters,
    rows,
    retrain: (indices) => given.retrain?.(rows, indices, parameters) ?? model.train(rows, { indices }),
  };
}

/** Self-scores of a model that was trained with part of the labels wrong. */
function mislabelledScores(given: QualityCase) {
  const { rowCount, wrongPart } = given.mislabelled;
  const part = pickRows(
    given.rows,
    Int32Array.from({ length: rowCount }, (_, i) => i),
  );
  const wrong = new SeededRandom(`${given.seed}/wrong`).subset(rowCount, Math.round(wrongPart * rowCount));
  const noisy = relabel(part, wrongLabels(part, wrong, given.seed));
  const isWrong = Array.from(noisy.labels, (label, i) => label !== part.labels[i]);
  return { selfScores: allSelfScores(trainOn(given, examplesOf(noisy)), given), isWrong };
}

function eachMethod<T>(make: (method: Method) => T): Record<Method, T> {
  return Object.fromEntries(METHODS.map((method) => [method, make(method)])) as Record<Method, T>;
}
