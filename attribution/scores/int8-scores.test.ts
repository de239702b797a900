import { describe, expect, it } from "vitest";
import { dataInfScores } from "../features/data-inf.ts";
import { alignColumns } from "../features/exact-influence.ts";
import { dataInfFeatures, gradDotFeatures } from "../features/gradient-features.ts";
import { timesTransposed } from "../maths/dense-matrix.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { mlpModel } from "../model/mlp-model.ts";
import { gradDotScores } from "../research/grad-dot.ts";
import { pearson } from "../research/quality-metrics.ts";
import { trakFeatures, trakScores } from "../research/trak.ts";
import { clipRowNorms } from "../rows/row-rules.ts";
import { tinyRows } from "../testing/tiny-problem.ts";
import { int8Scores, int8SelfScores } from "./int8-scores.ts";

const ROWS = 90;
const QUERIES = 6;
const rows = tinyRows(ROWS, "int8");
const queries = tinyRows(QUERIES, "int8 queries");
const sgd = { epochs: 10, batchSize: 8, rate: 0.2, momentum: 0.5, seed: "t" };
const mlp = mlpModel({ inputCount: 5, hiddenCount: 4, classCount: 3, decay: 0.02, sgd });
const parameters = mlp.train(rows);
const both = alignColumns(mlp.sensitivities(parameters, rows), mlp.sensitivities(parameters, queries));

const realScores = (of: { rows: Float64Array; queries: Float64Array; featureCount: number }) =>
  timesTransposed(of.queries, QUERIES, of.rows, ROWS, of.featureCount);

/** The least correlation of two score matrices over rows, among queries. */
const leastCorrelation = (a: Float64Array, b: Float64Array) =>
  Math.min(
    ...Array.from({ length: QUERIES }, (_, q) =>
      pearson(a.slice(q * ROWS, (q + 1) * ROWS), b.slice(q * ROWS, (q + 1) * ROWS)),
    ),
  );

describe("gradDotFeatures and dataInfFeatures", () => {
  const featuresOf = (make: typeof gradDotFeatures, featureCount: number) => {
    const map = make(both.rows, { featureCount, seed: "f" });
    return { rows: map.features(both.rows), queries: map.features(both.queries), featureCount };
  };

  // 4 used inputs and the bias · 4 hidden outputs, 5 · 2 contrasts: 30 coordinates.
  it.each([
    ["Grad-Dot", gradDotFeatures, gradDotScores],
    ["DataInf", dataInfFeatures, dataInfScores],
  ] as const)("%s: come near the method with half of its coordinates", (_, make, scores) => {
    const exact = scores(both.rows, both.queries);
    const half = featuresOf(make, 16);
    expect(leastCorrelation(realScores(half), exact)).toBeGreaterThan(0.93);
    const tooFew = featuresOf(make, 2);
    expect(leastCorrelation(realScores(tooFew), exact)).toBeLessThan(
      leastCorrelation(realScores(half), exact),
    );
  });
});

describe("trakFeatures", () => {
  it("have the scores of the ensemble as inner products", () => {
    const members = [both, both];
    const features = trakFeatures(members, 8, "s");
    const expected = trakScores(members, 8, "s");
    expect(features.featureCount).toBe(16);
    for (const [k, score] of realScores(features).entries()) {
      expect(Math.abs(score - expected[k]!)).toBeLessThan(1e-9 * (1 + Math.abs(expected[k]!)));
    }
  });
});

describe("int8Scores", () => {
  const random = new SeededRandom("int8");
  const featureCount = 32;
  const real = {
    rows: Float64Array.from({ length: ROWS * featureCount }, () => random.nextFraction() - 0.5),
    queries: Float64Array.from({ length: QUERIES * featureCount }, () => random.nextFraction() - 0.5),
    featureCount,
  };

  it("are whole numbers that rank rows as the real features do", () => {
    const scores = int8Scores(real);
    expect(scores.every(Number.isInteger)).toBe(true);
    expect(leastCorrelation(scores, realScores(real))).toBeGreaterThan(0.999);
  });

  it("lose all but one row where that one is far longer, which is what clipping prevents", () => {
    const rowsWithOne = real.rows.map((x, k) => (k < featureCount ? 1000 * x : x));
    const scores = int8Scores({ ...real, rows: rowsWithOne });
    expect(scores.slice(1, ROWS).every((score) => score === 0)).toBe(true);
    const clipped = int8Scores({ ...real, rows: clipRowNorms(rowsWithOne, featureCount, 0.95) });
    expect(leastCorrelation(clipped, realScores(real))).toBeGreaterThan(0.99);
  });

  it("have self-scores in real units", () => {
    const own = { ...real, queries: real.rows };
    const exact = Float64Array.from({ length: ROWS }, (_, i) =>
      real.rows.subarray(i * featureCount, (i + 1) * featureCount).reduce((sum, x) => sum + x * x, 0),
    );
    for (const [i, score] of int8SelfScores(own).entries()) {
      expect(Math.abs(score / exact[i]! - 1)).toBeLessThan(0.02);
    }
  });
});
