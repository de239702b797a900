/**
 * How good a direct matrix is beside int8 features of e-mail models: the linear datamodeling score by training again, and
 * how far contributors' shares are from those of exact influence. Each way is measured against its own model's training.
 */

import { directRows, MAX_DIRECT_ENTRY, quantiseDirect } from "../features/direct-rows.ts";
import { alignColumns, exactInfluence } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import type { Sensitivities } from "../features/sensitivities.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { logisticModel } from "../model/logistic-model.ts";
import { accuracy, type Examples } from "../model/model.ts";
import { type LabelledRows, pickRows, splitIndices } from "../rows/labelled-rows.ts";
import { loadEmailLists, loadEmails } from "../rows/spam-emails.ts";
import { int8Scores } from "../scores/int8-scores.ts";
import { groupAttributions, linearDatamodelingScore } from "./quality-metrics.ts";

export interface DirectQualityOptions {
  readonly rowCount: number;
  readonly queryCount: number;
  /** Random halves of the rows that the models are trained on again; 0: no score, only shares. */
  readonly subsetCount: number;
  readonly bucketCount: number;
  /** Longest lists: a model of each. */
  readonly termCounts: readonly number[];
  /** Of int8 features, powers of two. */
  readonly featureCounts: readonly number[];
  readonly seed: string;
  readonly log?: (line: string) => void;
}

/** One way to register, of one model. */
export interface RegisteredQuality {
  /** How inputs become numbers: "length" as int8 models take them, or the longest list of a direct model. */
  readonly inputs: "length" | number;
  /** "exact" | "int8 d=…" | "direct int…" */
  readonly way: string;
  readonly accuracy: number;
  /** null where nothing was trained again. */
  readonly lds: { readonly value: number; readonly low: number; readonly high: number } | null;
  /** Mean total variation, over the answers, between the contributors' shares and those of exact influence. */
  readonly sharesOff: number;
}

const DECAY = 0.001;
const CONTRIBUTORS = 20;
const DIRECT_BITS = [8, 10, 12] as const;

export function measureDirect(options: DirectQualityOptions): RegisteredQuality[] {
  const { bucketCount, termCounts } = options;
  return [
    ...measureModel("length", loadEmails(bucketCount), options),
    ...termCounts.flatMap((count) => measureModel(count, loadEmailLists(bucketCount, count), options)),
  ];
}

function measureModel(
  inputs: RegisteredQuality["inputs"],
  all: LabelledRows,
  options: DirectQualityOptions,
): RegisteredQuality[] {
  const { bucketCount, queryCount, rowCount, seed, subsetCount, log = () => {} } = options;
  const sizes = { trainCount: rowCount, testCount: queryCount };
  const { train, test } = splitIndices(all.labels.length, sizes, seed);
  const rows = examplesOf(pickRows(all, train));
  const queries = examplesOf(pickRows(all, test));
  const model = logisticModel({ inputCount: bucketCount, classCount: 2, decay: DECAY, tolerance: 1e-7 });
  const parameters = model.train(rows);
  const part = accuracy(model, parameters, queries);
  log(`inputs ${inputs}: accuracy ${part.toFixed(3)}`);
  const own = model.sensitivities(parameters, rows);
  const scored = scoresOf(own, model.sensitivities(parameters, queries), inputs, options);
  // The score is of the loss at the true label, as it is defined; shares are of the model's own answers. With two labels
  // another label turns all signs.
  const predicted = model.predict(parameters, queries);
  const signs = predicted.map((label, q) => (label === queries.labels[q] ? 1 : -1));
  const answered = (scores: Float64Array) => scores.map((x, k) => x * signs[Math.floor(k / rowCount)]!);
  log(`inputs ${inputs}: training ${subsetCount} times on halves`);
  const subsets = Array.from({ length: subsetCount }, (_, k) =>
    new SeededRandom(`${seed}/subset/${k}`).subset(rowCount, Math.floor(rowCount / 2)),
  );
  const outputs = subsets.map((indices) =>
    model.losses(model.train(rows, { indices, start: parameters }), queries).map((loss) => -loss),
  );
  return [...scored].map(([way, scores]) => {
    const lds =
      subsetCount === 0
        ? null
        : linearDatamodelingScore(groupAttributions(scores, rowCount, subsets), outputs, seed);
    return {
      inputs,
      way,
      accuracy: part,
      lds: lds === null ? null : { value: lds.value, low: lds.low, high: lds.high },
      sharesOff: sharesOff(answered(scored.get("exact")!), answered(scores), rowCount),
    };
  });
}

/** Of every way, queries × rows. Each query's scores may have a positive factor of its own. */
function scoresOf(
  own: Sensitivities,
  asked: Sensitivities,
  inputs: RegisteredQuality["inputs"],
  { featureCounts, log = () => {}, seed }: DirectQualityOptions,
): Map<string, Float64Array> {
  const { rows, queries } = alignColumns(own, asked);
  const scores = new Map([["exact", exactInfluence(rows, DECAY).scores(queries)]]);
  for (const featureCount of featureCounts) {
    log(`inputs ${inputs}: int8, ${featureCount} features`);
    const map = featureMap(rows, { featureCount, damping: DECAY, seed });
    const real = { rows: map.features(rows), queries: map.features(queries), featureCount };
    scores.set(`int8 d=${featureCount}`, int8Scores(real));
  }
  if (inputs === "length") return scores;
  log(`inputs ${inputs}: direct`);
  const real = directRows(own, DECAY);
  const width = own.layers[0]!.inputs.columnCount;
  for (const bits of DIRECT_BITS) {
    const { values } = quantiseDirect(real, width, (MAX_DIRECT_ENTRY + 1) * 2 ** (bits - 10) - 1);
    scores.set(`direct int${bits}`, directScores(values, width, asked));
  }
  return scores;
}

/** ± B x of each query, with √n x in integers as a settlement takes it: counts times 16, and ⌊√(256 n)⌋ for the bias. */
function directScores(values: Int16Array, width: number, asked: Sensitivities): Float64Array {
  const { inputs } = asked.layers[0]!;
  const rowCount = values.length / width;
  const out = new Float64Array(asked.rowCount * rowCount);
  for (let q = 0; q < asked.rowCount; q++) {
    const [from, to] = [inputs.starts[q]!, inputs.starts[q + 1]! - 1];
    // Counts add up to the number of terms, and each value is a count over its root.
    const sum = inputs.values.subarray(from, to).reduce((total, value) => total + value, 0);
    const root = Math.sqrt(Math.round(sum * sum));
    const sign = asked.residuals[q]! > 0 ? -1 : 1;
    for (let k = 0; k < rowCount; k++) {
      let score = values[k * width + width - 1]! * Math.floor(16 * root);
      for (let e = from; e < to; e++)
        score += 16 * Math.round(inputs.values[e]! * root) * values[k * width + inputs.columns[e]!]!;
      out[q * rowCount + k] = sign * score;
    }
  }
  return out;
}

/** Mean total variation between the shares of `CONTRIBUTORS` with equally many rows, where negative scores earn nothing. */
function sharesOff(exact: Float64Array, given: Float64Array, rowCount: number): number {
  const queryCount = exact.length / rowCount;
  let off = 0;
  for (let q = 0; q < queryCount; q++) {
    const [a, b] = [exact, given].map((scores) =>
      sharesOf(scores.subarray(q * rowCount, (q + 1) * rowCount)),
    );
    for (let c = 0; c < CONTRIBUTORS; c++) off += Math.abs(a![c]! - b![c]!) / 2 / queryCount;
  }
  return off;
}

function sharesOf(scores: Float64Array): Float64Array {
  const shares = new Float64Array(CONTRIBUTORS);
  let total = 0;
  for (const [k, score] of scores.entries()) {
    const weight = Math.max(0, score);
    const contributor = Math.floor((k * CONTRIBUTORS) / scores.length);
    shares[contributor] = shares[contributor]! + weight;
    total += weight;
  }
  return total === 0 ? shares.fill(1 / CONTRIBUTORS) : shares.map((share) => share / total);
}

function examplesOf({ features, labels }: LabelledRows): Examples {
  return { inputs: features, labels };
}
