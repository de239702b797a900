/** Measures of attribution's quality, with bootstrap ranges: benches report them. */
import { SeededRandom } from "../maths/seeded-random.ts";

/** A number with its bootstrap range of 95 %. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The value in each bootstrap sample. Equal seeds draw equal samples, so two methods can be compared in pairs. */
  readonly samples: readonly number[];
}

const BOOTSTRAP_ROUNDS = 200;

export function pearson(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  let meanA = 0;
  let meanB = 0;
  for (let i = 0; i < n; i++) {
    meanA += a[i]! / n;
    meanB += b[i]! / n;
  }
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < n; i++) {
    const x = a[i]! - meanA;
    const y = b[i]! - meanB;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** Spearman's rank correlation; equal values share the mean of their ranks. 0 where one side is constant. */
export function spearman(a: Float64Array, b: Float64Array): number {
  return pearson(ranks(a), ranks(b));
}

function ranks(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((i, j) => values[i]! - values[j]! || i - j);
  const out = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to += 1;
    for (let k = from; k < to; k++) out[order[k]!] = (from + to - 1) / 2;
    from = to;
  }
  return out;
}

/** Sums of scores over each subset: subsets × queries. */
export function groupAttributions(
  scores: Float64Array,
  rowCount: number,
  subsets: readonly Int32Array[],
): Float64Array[] {
  const queryCount = scores.length / rowCount;
  return subsets.map((subset) =>
    Float64Array.from({ length: queryCount }, (_, q) => {
      let sum = 0;
      for (const i of subset) sum += scores[q * rowCount + i]!;
      return sum;
    }),
  );
}

/**
 * Linear datamodeling score as TRAK and dattri define it: for each query the rank correlation, over subsets, of the
 * group attribution with the retrained models' output (−loss), then the mean over queries.
 *
 * The range comes from drawing subsets *and* queries again: both are samples.
 */
export function linearDatamodelingScore(
  predicted: readonly Float64Array[],
  outputs: readonly Float64Array[],
  seed: string,
  bootstrapRounds = BOOTSTRAP_ROUNDS,
): Estimate {
  return correlationOverQueries(predicted, outputs, spearman, seed, bootstrapRounds);
}

/** Pearson's correlation, over the rows left out, of score and effect; then the mean over queries. */
export function leaveOneOutCorrelation(
  predicted: readonly Float64Array[],
  effects: readonly Float64Array[],
  seed: string,
): Estimate {
  return correlationOverQueries(predicted, effects, pearson, seed);
}

type Correlation = (a: Float64Array, b: Float64Array) => number;

function correlationOverQueries(
  predicted: readonly Float64Array[],
  actual: readonly Float64Array[],
  correlation: Correlation,
  seed: string,
  bootstrapRounds = BOOTSTRAP_ROUNDS,
): Estimate {
  const random = new SeededRandom(`${seed}/bootstrap`);
  const draw = (count: number) => Array.from({ length: count }, () => random.nextBelow(count));
  const queryCount = predicted[0]!.length;
  const mean = (samples: readonly number[], queries: readonly number[]) => {
    const byQuery = new Map<number, number>();
    let sum = 0;
    for (const q of queries) {
      let value = byQuery.get(q);
      if (value === undefined) {
        value = correlation(
          Float64Array.from(samples, (s) => predicted[s]![q]!),
          Float64Array.from(samples, (s) => actual[s]![q]!),
        );
        byQuery.set(q, value);
      }
      sum += value;
    }
    return sum / queries.length;
  };
  const rounds = Array.from({ length: bootstrapRounds }, () =>
    mean(draw(predicted.length), draw(queryCount)),
  );
  return estimate(mean([...predicted.keys()], [...Array(queryCount).keys()]), rounds);
}

/** Area under the ROC curve of finding the wrong rows by their self-scores (high = wrong), with its bootstrap range. */
export function mislabelAuc(selfScores: Float64Array, isWrong: readonly boolean[], seed: string): Estimate {
  const random = new SeededRandom(`${seed}/bootstrap`);
  const wrong = [...selfScores].filter((_, i) => isWrong[i]);
  const right = [...selfScores].filter((_, i) => !isWrong[i]);
  const resample = (values: readonly number[]) => values.map(() => values[random.nextBelow(values.length)]!);
  const rounds = Array.from({ length: BOOTSTRAP_ROUNDS }, () => auc(resample(wrong), resample(right)));
  return estimate(auc(wrong, right), rounds);
}

/** Chance that a wrong row has the higher score (Mann–Whitney), from the ranks of all. */
function auc(wrong: readonly number[], right: readonly number[]): number {
  const all = ranks(Float64Array.from([...wrong, ...right]));
  let sum = 0;
  for (let i = 0; i < wrong.length; i++) sum += all[i]!;
  return (sum - (wrong.length * (wrong.length - 1)) / 2) / (wrong.length * right.length);
}

/** Difference of `a` and `b`, both estimated from the same seed. */
export function difference(a: Estimate, b: Estimate): Estimate {
  return estimate(
    a.value - b.value,
    a.samples.map((sample, k) => sample - b.samples[k]!),
  );
}

/**
 * Estimate with its range: that of the samples around *their* mean, moved to the value. A rank correlation over subsets
 * drawn twice is lower than over different ones, so the samples' own position says nothing.
 */
function estimate(value: number, samples: readonly number[]): Estimate {
  const sorted = [...samples].sort((a, b) => a - b);
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  return {
    value,
    low: value + sorted[Math.floor(0.025 * sorted.length)]! - mean,
    high: value + sorted[Math.ceil(0.975 * sorted.length) - 1]! - mean,
    samples,
  };
}
