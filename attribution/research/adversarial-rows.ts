import { type BaseRule, baseStrengths } from "../features/base-column.ts";
import { alignColumns, exactInfluence, writeGradients } from "../features/exact-influence.ts";
import { logisticCoordinates } from "../features/logistic-coordinates.ts";
import { softmaxInPlace } from "../maths/exact-math.ts";
import { sparseFromDense, usedColumns, writeDenseRow } from "../maths/sparse-rows.ts";
import { withBias } from "../model/logistic-model.ts";
import { type LabelledRows, pickRows } from "../rows/labelled-rows.ts";
import type { ContributorWorld } from "./gaming-market.ts";

/**
 * Rows made to earn, after "Adversarial Attacks on Data Attribution" (arXiv 2409.05657), on a logistic model. Pixels
 * move by at most `limit` in steps along the sign of a gradient and stay in [0, 1]; labels stay as they are.
 */
const STEPS = 10;

/** Outlier attack: the attacker's rows become adversarial examples of the model that is in use. */
export function adversarialRows(world: ContributorWorld, attackerRows: number, limit: number): LabelledRows {
  const parameters = world.model.train({ inputs: world.rows.features, labels: world.rows.labels });
  return perturb(world.rows, { count: attackerRows, limit }, (x, label, gradient) => {
    const { inputCount, classCount } = shapeOf(world, parameters);
    const residual = residualAt(parameters, x, label, inputCount, classCount);
    for (let j = 0; j < inputCount; j++) {
      let sum = 0;
      for (let c = 0; c < classCount; c++) sum += parameters[j * classCount + c]! * residual[c]!;
      gradient[j] = sum;
    }
  });
}

/**
 * Shadow attack: a model trained on the attacker's own data stands in for the one in use; his rows climb the reward
 * that they would get for its queries, Σ over queries of s⁺ / (what all rows get).
 */
export function shadowRows(world: ContributorWorld, attackerRows: number, limit: number): LabelledRows {
  return climbingRows(world, world.shadowRows, world.rows, { attackerRows, limit });
}

/**
 * White-box attack: he knows the rows of all others, so their model, and the base's rule (features/base-column.ts); what
 * he does not have is other people's queries. @param start his rows first, then the others'
 */
export function whiteBoxRows(
  world: ContributorWorld,
  start: LabelledRows,
  { attackerRows, base, limit }: { attackerRows: number; limit: number; base: BaseRule | undefined },
): LabelledRows {
  const others = Array.from({ length: world.rows.labels.length - attackerRows }, (_, k) => attackerRows + k);
  return climbingRows(world, pickRows(world.rows, others), start, {
    attackerRows,
    limit,
    ...(base === undefined ? {} : { base }),
  });
}

/**
 * The first rows of `start` climb the reward that a model of `known` rows would give them for the attacker's own
 * queries: Σ over queries of (s + u b)⁺ / (what all known rows get), u = the query's root mean square score.
 */
function climbingRows(
  world: ContributorWorld,
  known: LabelledRows,
  start: LabelledRows,
  { attackerRows, base, limit }: { attackerRows: number; limit: number; base?: BaseRule },
): LabelledRows {
  const { model } = world;
  const shadow = { inputs: known.features, labels: known.labels };
  const parameters = model.train(shadow);
  const { inputCount, classCount } = shapeOf(world, parameters);
  const asked = { inputs: world.shadowQueries.features, labels: world.shadowQueries.labels };
  const answered = { ...asked, labels: model.predict(parameters, asked) };
  const { rows, queries } = alignColumns(
    model.sensitivities(parameters, shadow),
    model.sensitivities(parameters, answered),
  );
  const influence = exactInfluence(rows, model.decay);
  const scores = influence.scores(queries);
  const coordinates = logisticCoordinates(usedColumns(withBias(shadow.inputs)).position, classCount);
  const flat = base === undefined ? 0 : base.flatPermille / 1000;
  // Of each query its solved gradient as parameters, and its unit, both divided by the reward that it hands out.
  const solved = writeGradients(queries, influence.size);
  const weights: { weight: Float64Array; unit: number }[] = [];
  for (let q = 0; q < queries.rowCount; q++) {
    const vector = solved.slice(q * influence.size, (q + 1) * influence.size);
    influence.solve(vector);
    const own = scores.subarray(q * rows.rowCount, (q + 1) * rows.rowCount);
    const unit = Math.sqrt(own.reduce((sum, s) => sum + s * s, 0) / rows.rowCount);
    const total = own.reduce((sum, s) => sum + Math.max(0, s + flat * unit), 0);
    const weight = new Float64Array(parameters.length);
    coordinates.toParameters(vector, weight);
    if (total > 0) weights.push({ weight: weight.map((x) => x / total), unit: unit / total });
  }
  return perturb(start, { count: attackerRows, limit }, (x, label, gradient) => {
    const residual = residualAt(parameters, x, label, inputCount, classCount);
    const probabilities = residual.slice();
    probabilities[label] = probabilities[label]! + 1;
    const { direction, strength } = baseAt(base, probabilities, label);
    gradient.fill(0);
    const moved = new Float64Array(classCount);
    for (const { unit, weight } of weights) {
      // s = residualᵀ a with a = weightᵀ x: its gradient in x is weight·residual + θ·(diag p − p pᵀ)·a.
      const a = productWith(weight, x, inputCount, classCount);
      let score = unit * strength;
      let mean = 0;
      for (let c = 0; c < classCount; c++) {
        score += residual[c]! * a[c]!;
        mean += probabilities[c]! * a[c]!;
      }
      if (score <= 0) continue;
      for (let c = 0; c < classCount; c++) {
        moved[c] = moved[c]! + probabilities[c]! * (a[c]! - mean) + unit * direction[c]!;
      }
      for (let j = 0; j < inputCount; j++) {
        let sum = 0;
        for (let c = 0; c < classCount; c++) sum += weight[j * classCount + c]! * residual[c]!;
        gradient[j] = gradient[j]! + sum;
      }
    }
    for (let j = 0; j < inputCount; j++) {
      let sum = 0;
      for (let c = 0; c < classCount; c++) sum += parameters[j * classCount + c]! * moved[c]!;
      gradient[j] = gradient[j]! + sum;
    }
  });
}

/** The base's strength at a row, and its gradient in the logits; the odds are those of the model that is climbed. */
function baseAt(base: BaseRule | undefined, probabilities: Float64Array, label: number) {
  const direction = new Float64Array(probabilities.length);
  if (base === undefined) return { direction, strength: 0 };
  let other = label === 0 ? 1 : 0;
  for (const [c, p] of probabilities.entries()) if (c !== label && p > probabilities[other]!) other = c;
  const odds = probabilities[label]! / probabilities[other]!;
  if (odds * 1000 < base.oddsPermille) {
    const slope = (base.trustPermille * odds) / base.oddsPermille;
    direction[label] = slope;
    direction[other] = -slope;
  }
  return { direction, strength: baseStrengths(base, Float64Array.of(odds))[0]! };
}

function shapeOf(world: ContributorWorld, parameters: Float64Array) {
  const inputCount = world.rows.features.columnCount;
  return { inputCount, classCount: parameters.length / (inputCount + 1) };
}

/** Moves the first rows along the sign of what `writeGradient` says. */
function perturb(
  rows: LabelledRows,
  { count, limit }: { count: number; limit: number },
  writeGradient: (x: Float64Array, label: number, gradient: Float64Array) => void,
): LabelledRows {
  const width = rows.features.columnCount;
  const values = new Float64Array(rows.labels.length * width);
  const gradient = new Float64Array(width);
  for (const i of rows.labels.keys()) {
    const x = values.subarray(i * width, (i + 1) * width);
    writeDenseRow(rows.features, i, x);
    if (i >= count) continue;
    const start = x.slice();
    for (let step = 0; step < STEPS; step++) {
      writeGradient(x, rows.labels[i]!, gradient);
      for (let j = 0; j < width; j++) {
        const moved = x[j]! + (2 * limit * Math.sign(gradient[j]!)) / STEPS;
        x[j] = Math.max(0, start[j]! - limit, Math.min(1, start[j]! + limit, moved));
      }
    }
  }
  return { ...rows, features: sparseFromDense(values, rows.labels.length, width) };
}

/** weightᵀ (x, 1). */
function productWith(weight: Float64Array, x: Float64Array, inputCount: number, classCount: number) {
  const out = weight.slice(inputCount * classCount);
  for (let j = 0; j < inputCount; j++) {
    if (x[j] === 0) continue;
    for (let c = 0; c < classCount; c++) out[c] = out[c]! + x[j]! * weight[j * classCount + c]!;
  }
  return out;
}

/** Probabilities minus the label's indicator. */
function residualAt(
  parameters: Float64Array,
  x: Float64Array,
  label: number,
  inputCount: number,
  classCount: number,
): Float64Array {
  const out = productWith(parameters, x, inputCount, classCount);
  softmaxInPlace(out, 0, classCount);
  out[label] = out[label]! - 1;
  return out;
}
