/**
 * Quality of the integers that a direct model (a classifier) registers, beside exact influence: the
 * linear datamodeling score, leave-one-out by training again, and the distance of contributors' shares from those of
 * exact influence. The predicted quantity is the answer's lead over the other label, or over the runner-up that the
 * answer names. attribution-worker.ts runs it.
 */

import {
  type LabelParts,
  partLengths,
  quantiseContrasts,
  rowInfluence,
} from "@openledger/attribution/features/direct-rows";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { usedColumns } from "@openledger/attribution/maths/sparse-rows";
import { lossWeights } from "@openledger/attribution/model/decoded-rows";
import { directInputs, registeredLogits } from "@openledger/attribution/model/direct/direct-inputs";
import { weightsOf } from "@openledger/attribution/model/direct/label-weights";
import { logisticModel, withBias } from "@openledger/attribution/model/direct/logistic-model";
import type { Examples } from "@openledger/attribution/model/model";
import { clipFactors } from "@openledger/attribution/rows/row-rules";
import { alignColumns, exactInfluence } from "@openledger/attribution/testing/exact-influence";
import {
  difference,
  type Estimate,
  groupAttributions,
  leaveOneOutCorrelation,
  linearDatamodelingScore,
} from "@openledger/attribution/testing/quality-metrics";
import {
  type DirectQuery,
  lengthOf,
  pairOf,
  TERM_WEIGHT,
  termTotal,
} from "@openledger/circuits/ledger/direct-query";
import { MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/scores/direct-matrix";
import { readVectorsFrom } from "@openledger/models/tuning/vectors/vector-places";
import { type Corpus, usualRecipeOf } from "./corpora.ts";
import { logisticCoordinates } from "./logistic-coordinates.ts";
import { measurePaid, type PaidQuality } from "./paid-quality.ts";

export interface DirectQualityOptions {
  /** The first rows are trained on, those behind them are asked. The recipe is the default's. */
  readonly corpus: Corpus;
  readonly rowCount: number;
  readonly queryCount: number;
  /** Random halves of the rows that the model is trained on again; 0: no scores, only shares. */
  readonly subsetCount: number;
  /** True: what rows are paid, too, by a model of a version, in which no row stands twice. */
  readonly withPaid?: boolean;
  /** Rows that are left out, one at a time. */
  readonly leaveOneOutCount: number;
  /** Bits of the matrix' entries, the sign among them. */
  readonly bitCounts: readonly number[];
  readonly log?: (line: string) => void;
}

type Range = Pick<Estimate, "value" | "low" | "high">;

/** Quality of one way to register. */
export interface RegisteredQuality {
  /** "exact"; "int…", of so many bits without a limit of rows' lengths; "int… clipped", with the recipe's */
  readonly way: string;
  /** null if nothing was trained again. */
  readonly lds: Range | null;
  readonly leaveOneOut: Range | null;
  /** Mean total variation, over the answers, between the shares of 20 contributors and those of exact influence. */
  readonly sharesOff: number;
}

export interface DirectQuality {
  readonly ways: readonly RegisteredQuality[];
  /** LDS of what is registered less that of exact influence, on the same bootstrap samples. */
  readonly registeredMinusExact: Range | null;
  /** null if nobody asks for it, or nothing was trained again. */
  readonly paid: PaidQuality | null;
}

const CONTRIBUTORS = 20;
/** Training tolerance; effects on the answer's lead are a thousand times larger. */
const RETRAIN_TOLERANCE = 1e-6;
/** Training tolerance of leave-one-out: one row of thousands moves a lead by 10⁻⁴ and less. */
const LEAVE_ONE_OUT_TOLERANCE = 1e-10;
/** The way in which a model is registered: a base adds the same to all rows, so it is left out. */
export const REGISTERED = "int10 clipped";

/** Columns of the matrix that a question weighs, and the labels of its pair. */
interface Question {
  readonly columns: readonly number[];
  readonly earlier: number;
  readonly later: number;
  /** Weights as the circuit has them. */
  readonly weights: Float64Array;
  /** Weights without the rounding of the bias' weight. */
  readonly realWeights: Float64Array;
  /** −1 for class 1. */
  readonly sign: 1 | -1;
}

export async function measureDirect(options: DirectQualityOptions): Promise<DirectQuality> {
  const { corpus, leaveOneOutCount, log = () => {}, queryCount, rowCount, subsetCount } = options;
  const { classes, name: seed } = corpus;
  const rows = corpus.rows.slice(0, rowCount);
  const question = corpus.rows.slice(rowCount, rowCount + queryCount);
  const recipe = await usualRecipeOf(corpus, rows);
  const { decay } = recipe.model;
  const inputs = await directInputs(recipe, readVectorsFrom());
  const examples = {
    inputs: inputs.examples(rows.map(({ input }) => input)),
    labels: Int32Array.from(rows, ({ label }) => label),
    weights: lossWeights(
      recipe,
      rows.map(({ input }) => inputs.counter.contentOf(input)),
    ),
  };
  const model = logisticModel({
    inputCount: inputs.inputCount,
    classCount: inputs.labels.length,
    decay,
    labelWeights: weightsOf(recipe.model.labelWeights),
  });
  const retrain = (start: Float64Array, indices: Int32Array) =>
    model.trainWith(examples, { indices, start }, { tolerance: RETRAIN_TOLERANCE });
  log(`training on ${rowCount} rows`);
  const parameters = model.train(examples);
  const logits = registeredLogits(recipe, parameters);
  const questions = question.map(({ input }) =>
    weighed(inputs.answer(logits, input).query, inputs.inputCount),
  );
  log("exact influence");
  const own = model.sensitivities(parameters, examples);
  const featureCount = recipe.columnCount;
  const { scales } = inputs.counter;
  const influence = rowInfluence(own, { damping: decay, featureCount, scales });
  const { normQuantile } = recipe.rules;
  const ways = scoresOfWays(influence, featureCount, questions, { ...options, normQuantile });
  const exact = ways.get("exact")!;

  log(`training ${subsetCount} times on halves`);
  const labelCount = classes.length;
  const leads = (of: Float64Array) =>
    Float64Array.from(questions, ({ columns, earlier, later, realWeights, sign }) =>
      columns.reduce((sum, column, k) => {
        const at = Math.min(column, inputs.inputCount) * labelCount;
        const weight = (scales[column] ?? 1) * realWeights[k]!;
        return sum - sign * (of[at + later]! - of[at + earlier]!) * weight;
      }, 0),
    );
  const subsets = Array.from({ length: subsetCount }, (_, k) =>
    new SeededRandom(`${seed}/subset/${k}`).subset(rowCount, Math.floor(rowCount / 2)),
  );
  const outputs = subsets.map((subset) => leads(retrain(parameters, subset)));
  log(`training ${leaveOneOutCount} times without one row`);
  const leftOut = new SeededRandom(`${seed}/left-out`).subset(rowCount, leaveOneOutCount);
  const full = leads(parameters);
  const without = leaveOneOutCount === 0 ? null : trainerWithout(model, examples, parameters, decay);
  const effects = Array.from(leftOut, (index) => {
    const left = leads(without!(index));
    return full.map((lead, q) => lead - left[q]!);
  });
  log("correlations");
  const ldsOf = new Map(
    [...ways].map(([way, scores]) => [
      way,
      subsetCount === 0
        ? null
        : linearDatamodelingScore(groupAttributions(scores, rowCount, subsets), outputs, seed),
    ]),
  );
  const leaveOneOut = (scores: Float64Array) =>
    leaveOneOutCount === 0
      ? null
      : leaveOneOutCorrelation(
          Array.from(leftOut, (index) => full.map((_, q) => scores[q * rowCount + index]!)),
          effects,
          seed,
        );
  const [direct, best] = [ldsOf.get(REGISTERED), ldsOf.get("exact")];
  const paid =
    subsetCount === 0 || options.withPaid !== true
      ? null
      : await measurePaid({ corpus, rows, questions: question, recipe, subsets, outputs });
  return {
    paid,
    registeredMinusExact: direct && best ? rangeOf(difference(direct, best)) : null,
    ways: [...ways].map(([way, scores]) => ({
      way,
      lds: rangeOf(ldsOf.get(way) ?? null),
      leaveOneOut: rangeOf(leaveOneOut(scores)),
      sharesOff: sharesOff(exact, scores, rowCount),
    })),
  };
}

const rangeOf = (estimate: Estimate | null): Range | null =>
  estimate === null ? null : { value: estimate.value, low: estimate.low, high: estimate.high };

/** @param termBuckets those behind them count the base, which moves no lead */
function weighed({ answeredClass, counts, pair }: DirectQuery, termBuckets: number): Question {
  const columns = [...counts.keys()].filter((bucket) => bucket < termBuckets && counts[bucket]! > 0);
  const terms = termTotal(counts.subarray(0, termBuckets));
  const [earlier, later] = pairOf(pair);
  return {
    columns: [...columns, counts.length],
    earlier,
    later,
    weights: Float64Array.of(
      ...columns.map((bucket) => TERM_WEIGHT * counts[bucket]!),
      lengthOf(termTotal(counts)),
    ),
    realWeights: Float64Array.of(...columns.map((bucket) => counts[bucket]!), Math.sqrt(terms)),
    sign: answeredClass === 1 ? -1 : 1,
  };
}

/** Scores for the model's own answers, questions × rows; each question's may have a positive factor of its own. */
function scoresOfWays(
  influence: LabelParts,
  featureCount: number,
  questions: readonly Question[],
  { bitCounts, log = () => {}, normQuantile }: DirectQualityOptions & { readonly normQuantile: number },
): Map<string, Float64Array> {
  const { labelCount, rowCount } = influence;
  const width = (labelCount - 1) * featureCount;
  const scores = (contrasts: ArrayLike<number>, weightsOf: (one: Question) => Float64Array) => {
    const out = new Float64Array(questions.length * rowCount);
    const entry = (k: number, label: number, column: number) =>
      label === 0 ? 0 : contrasts[k * width + (label - 1) * featureCount + column]!;
    for (const [q, one] of questions.entries()) {
      const weights = weightsOf(one);
      for (let k = 0; k < rowCount; k++) {
        let sum = 0;
        for (const [i, column] of one.columns.entries())
          sum += weights[i]! * (entry(k, one.later, column) - entry(k, one.earlier, column));
        out[q * rowCount + k] = one.sign * sum;
      }
    }
    return out;
  };
  const whole = new Float64Array(rowCount).fill(1);
  const clipped = clipFactors(partLengths(influence), normQuantile);
  const ways = new Map([
    ["exact", scores(realContrasts(influence, featureCount), ({ realWeights }) => realWeights)],
  ]);
  for (const bits of bitCounts) {
    const max = (MAX_DIRECT_ENTRY + 1) * 2 ** (bits - 10) - 1;
    log(`${bits} bits`);
    for (const [way, factors] of [
      [`int${bits}`, whole],
      [`int${bits} clipped`, clipped],
    ] as const)
      ways.set(
        way,
        scores(quantiseContrasts(influence, { factors, featureCount, max }).values, ({ weights }) => weights),
      );
  }
  return ways;
}

/** Contrasts of labels against label 0 as they are registered, before rounding. */
function realContrasts(
  { columns, labelCount, rowCount, values }: LabelParts,
  featureCount: number,
): Float64Array {
  const out = new Float64Array(rowCount * (labelCount - 1) * featureCount);
  const partAt = (label: number, k: number, input: number) =>
    values[(label * rowCount + k) * columns.length + input]!;
  for (let k = 0; k < rowCount; k++)
    for (let label = 1; label < labelCount; label++)
      for (const [input, column] of columns.entries())
        out[(k * (labelCount - 1) + label - 1) * featureCount + column] =
          partAt(label, k, input) - partAt(0, k, input);
  return out;
}

/** The Hessian of all rows, inverted: without one row it is nearly the same, so a few steps reach the optimum. */
function trainerWithout(
  model: ReturnType<typeof logisticModel>,
  examples: Examples,
  full: Float64Array,
  decay: number,
): (index: number) => Float64Array {
  const sensitivities = model.sensitivities(full, examples);
  const influence = exactInfluence(alignColumns(sensitivities, sensitivities).rows, decay);
  const { position } = usedColumns(withBias(examples.inputs));
  const coordinates = logisticCoordinates(position, full.length / position.length);
  const precondition = (v: Float64Array) => {
    const x = coordinates.fromParameters(v);
    influence.solve(x);
    coordinates.toParameters(x, v);
  };
  const all = Int32Array.from(examples.labels.keys());
  return (index) =>
    model.trainWith(
      examples,
      { indices: all.filter((i) => i !== index), start: full },
      { tolerance: LEAVE_ONE_OUT_TOLERANCE, precondition },
    );
}

/** Mean total variation between the shares of `CONTRIBUTORS` with equally many rows, where negative scores earn nothing. */
function sharesOff(exact: Float64Array, other: Float64Array, rowCount: number): number {
  const queryCount = exact.length / rowCount;
  let off = 0;
  for (let q = 0; q < queryCount; q++) {
    const [a, b] = [exact, other].map((scores) =>
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
