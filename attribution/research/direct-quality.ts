/**
 * How good a direct matrix is beside int8 features of e-mail models: the linear datamodeling score by training again, and
 * how far contributors' shares are from those of exact influence. Each way is measured against its own model's training.
 */
import { countTerms } from "@openledger/circuits/ledger/direct-query";
import { answeredClass, directScores, MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/direct-matrix";
import { directRows, quantiseDirect } from "../features/direct-rows.ts";
import { alignColumns, exactInfluence } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import type { Sensitivities } from "../features/sensitivities.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { logitRow } from "../model/direct-family.ts";
import { countEntries } from "../model/direct-inputs.ts";
import { logisticModel } from "../model/logistic-model.ts";
import { accuracy, type Examples } from "../model/model.ts";
import { type LabelledRows, pickRows, splitIndices } from "../rows/labelled-rows.ts";
import { clipRowNorms, ROW_RULES } from "../rows/row-rules.ts";
import { emailsBy, loadEmails } from "../rows/spam-emails.ts";
import { termBuckets } from "../rows/text-terms.ts";
import { int8Scores } from "../scores/int8-scores.ts";
import { groupAttributions, linearDatamodelingScore } from "./quality-metrics.ts";

export interface DirectQualityOptions {
  readonly rowCount: number;
  readonly queryCount: number;
  /** Random halves of the rows that the models are trained on again; 0: no score, only shares. */
  readonly subsetCount: number;
  readonly bucketCount: number;
  /** Of int8 features, powers of two. */
  readonly featureCounts: readonly number[];
  /** Bits of a direct matrix' entries, the sign among them. */
  readonly bitCounts: readonly number[];
  readonly seed: string;
  readonly log?: (line: string) => void;
}

/** One way to register, of one model. */
export interface RegisteredQuality {
  /** How e-mails become numbers: as int8 models take them (of length 1), or as counts over the root of their number. */
  readonly inputs: "length" | "counts";
  /** "exact", "int8 d=…", "direct int…", "direct int… clipped" */
  readonly way: string;
  /** Of the model on the queries; of a direct way, of its integers. */
  readonly accuracy: number;
  /** null where nothing was trained again. */
  readonly lds: { readonly value: number; readonly low: number; readonly high: number } | null;
  /** Mean total variation, over the answers, between the contributors' shares and those of exact influence. */
  readonly sharesOff: number;
}

const DECAY = 0.001;
const CONTRIBUTORS = 20;

/** Scores for the model's own answers, queries × rows; each query's may have a positive factor of its own. */
interface WayScores {
  readonly scores: Float64Array;
  readonly accuracy: number;
}

export function measureDirect(options: DirectQualityOptions): RegisteredQuality[] {
  const { bucketCount } = options;
  const counted = emailsBy(bucketCount, (text) => countEntries(countsOf(text, bucketCount)));
  return [
    ...measureModel("length", loadEmails(bucketCount), options),
    ...measureModel("counts", counted, options),
  ];
}

const countsOf = (text: Uint8Array, bucketCount: number) =>
  countTerms(termBuckets(text, bucketCount), bucketCount);

function measureModel(
  inputs: RegisteredQuality["inputs"],
  all: LabelledRows,
  options: DirectQualityOptions,
): RegisteredQuality[] {
  const { bucketCount, queryCount, rowCount, seed, subsetCount, log = () => {} } = options;
  const sizes = { trainCount: rowCount, testCount: queryCount };
  const { train, test } = splitIndices(all.labels.length, sizes, seed);
  const rows = examplesOf(pickRows(all, train));
  const asked = pickRows(all, test);
  const queries = examplesOf(asked);
  const model = logisticModel({ inputCount: bucketCount, classCount: 2, decay: DECAY, tolerance: 1e-7 });
  const parameters = model.train(rows);
  log(`${inputs}: accuracy ${accuracy(model, parameters, queries).toFixed(3)}`);
  const own = model.sensitivities(parameters, rows);
  const answers = { ...queries, labels: model.predict(parameters, queries) };
  const real = {
    own,
    answered: model.sensitivities(parameters, answers),
    accuracy: accuracy(model, parameters, queries),
  };
  const ways =
    inputs === "length"
      ? realWays(real, options)
      : new Map([...realWays(real, options), ...directWays(own, parameters, asked, answers.labels, options)]);
  log(`${inputs}: training ${subsetCount} times on halves`);
  const subsets = Array.from({ length: subsetCount }, (_, k) =>
    new SeededRandom(`${seed}/subset/${k}`).subset(rowCount, Math.floor(rowCount / 2)),
  );
  const outputs = subsets.map((indices) =>
    model.losses(model.train(rows, { indices, start: parameters }), queries).map((loss) => -loss),
  );
  // The score is of the loss at the true label, as it is defined. With two labels the other one turns all signs.
  const signs = answers.labels.map((label, q) => (label === queries.labels[q] ? 1 : -1));
  return [...ways].map(([way, { accuracy: part, scores }]) => {
    const ofLabels = scores.map((x, k) => x * signs[Math.floor(k / rowCount)]!);
    const lds =
      subsetCount === 0
        ? null
        : linearDatamodelingScore(groupAttributions(ofLabels, rowCount, subsets), outputs, seed);
    return {
      inputs,
      way,
      accuracy: part,
      lds: lds === null ? null : { value: lds.value, low: lds.low, high: lds.high },
      sharesOff: sharesOff(ways.get("exact")!.scores, scores, rowCount),
    };
  });
}

/** Exact influence, and int8 features of it. */
function realWays(
  model: { own: Sensitivities; answered: Sensitivities; accuracy: number },
  { featureCounts, log = () => {}, seed }: DirectQualityOptions,
): Map<string, WayScores> {
  const { rows, queries } = alignColumns(model.own, model.answered);
  const ways = new Map<string, WayScores>();
  const add = (way: string, scores: Float64Array) => ways.set(way, { scores, accuracy: model.accuracy });
  add("exact", exactInfluence(rows, DECAY).scores(queries));
  for (const featureCount of featureCounts) {
    log(`int8, ${featureCount} features`);
    const map = featureMap(rows, { featureCount, damping: DECAY, seed });
    const real = { rows: map.features(rows), queries: map.features(queries), featureCount };
    add(`int8 d=${featureCount}`, int8Scores(real));
  }
  return ways;
}

/** What a settlement computes, in its integers. @param answers of the real model: scores are for these classes */
function directWays(
  own: Sensitivities,
  parameters: Float64Array,
  { contents, labels }: LabelledRows,
  answers: Int32Array,
  { bitCounts, bucketCount, log = () => {} }: DirectQualityOptions,
): Map<string, WayScores> {
  log("direct");
  const real = directRows(own, DECAY);
  const width = bucketCount + 1;
  const rowCount = real.length / width;
  const counts = contents.map((content) => countsOf(content.subarray(0, -1), bucketCount));
  const logit = logitRow(parameters);
  const ways = new Map<string, WayScores>();
  const add = (way: string, rows: Float64Array, bits: number) => {
    const values = new Int16Array((rowCount + 1) * width);
    values.set(quantiseDirect(rows, (MAX_DIRECT_ENTRY + 1) * 2 ** (bits - 10) - 1).values);
    values.set(logit, rowCount * width);
    const matrix = { rowCount, bucketCount, values };
    const scores = new Float64Array(counts.length * rowCount);
    let right = 0;
    for (const [q, one] of counts.entries()) {
      const answered = answeredClass(matrix, one);
      if (answered === labels[q]) right += 1;
      const sign = answered === answers[q] ? 1 : -1;
      const own = directScores(matrix, { counts: one, answeredClass: answered });
      for (const [k, score] of own.entries()) scores[q * rowCount + k] = sign * Number(score);
    }
    ways.set(way, { scores, accuracy: right / counts.length });
  };
  for (const bits of bitCounts) add(`direct int${bits}`, real, bits);
  const clipped = clipRowNorms(real, width, ROW_RULES.normQuantile);
  for (const bits of bitCounts) add(`direct int${bits} clipped`, clipped, bits);
  return ways;
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
