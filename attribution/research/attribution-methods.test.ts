import { describe, expect, it } from "vitest";
import { dataInfScores, dataInfSelf } from "../features/data-inf.ts";
import { alignColumns, exactInfluence, writeGradients } from "../features/exact-influence.ts";
import { coordinateCount, type Sensitivities } from "../features/sensitivities.ts";
import { logisticModel } from "../model/logistic-model.ts";
import { mlpModel } from "../model/mlp-model.ts";
import { tinyRows } from "../testing/tiny-problem.ts";
import { gradDotScores, gradDotSelf } from "./grad-dot.ts";
import { pearson } from "./quality-metrics.ts";
import { trakScores, trakSelf } from "./trak.ts";

const DECAY = 0.02;
const ROWS = 60;
const rows = tinyRows(ROWS, "methods");
const queries = tinyRows(4, "queries");
const logistic = logisticModel({ inputCount: 5, classCount: 3, decay: DECAY, tolerance: 1e-9 });
const parameters = logistic.train(rows);
const linear = alignColumns(
  logistic.sensitivities(parameters, rows),
  logistic.sensitivities(parameters, queries),
);
const sgd = { epochs: 10, batchSize: 8, rate: 0.2, momentum: 0.5, seed: "t" };
const mlp = mlpModel({ inputCount: 5, hiddenCount: 4, classCount: 3, decay: DECAY, sgd });
const trained = mlp.train(rows);
const layered = alignColumns(mlp.sensitivities(trained, rows), mlp.sensitivities(trained, queries));

/** Dense gradients of the rows of `of`, one layer: its columns of `writeGradients`. */
function layerGradients(of: Sensitivities, layer: number): number[][] {
  const size = coordinateCount(of);
  const start = of.layers
    .slice(0, layer)
    .reduce((sum, { outputCount, inputs }) => sum + outputCount * inputs.columnCount, 0);
  const width = of.layers[layer]!.outputCount * of.layers[layer]!.inputs.columnCount;
  const all = writeGradients(of, size);
  return Array.from({ length: of.rowCount }, (_, i) => [
    ...all.subarray(i * size + start, i * size + start + width),
  ]);
}

const inner = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);

describe("exactInfluence", () => {
  it("foretells what leaving out each row does to each query", () => {
    const scores = exactInfluence(linear.rows, DECAY).scores(linear.queries);
    const full = logistic.losses(parameters, queries);
    for (let q = 0; q < 4; q++) {
      const predicted: number[] = [];
      const actual: number[] = [];
      for (let i = 0; i < ROWS; i += 3) {
        const indices = Int32Array.from(rows.labels.keys()).filter((k) => k !== i);
        const without = logistic.train(rows, { indices, start: parameters });
        predicted.push(scores[q * ROWS + i]!);
        actual.push(logistic.losses(without, queries)[q]! - full[q]!);
      }
      expect(pearson(Float64Array.from(predicted), Float64Array.from(actual))).toBeGreaterThan(0.99);
    }
  });

  it("is right in size too: for a small decay, the loss changes by score / rows", () => {
    // With every row weighted 1/N, leaving out row i moves θ by (H + λ)⁻¹ (gᵢ + λθ) / (N − 1) to first order.
    const influence = exactInfluence(linear.rows, DECAY);
    const scores = influence.scores(linear.queries);
    const meanOf = (q: number) =>
      scores.subarray(q * ROWS, (q + 1) * ROWS).reduce((sum, s) => sum + s, 0) / ROWS;
    const full = logistic.losses(parameters, queries);
    const indices = Int32Array.from(rows.labels.keys()).filter((k) => k !== 8);
    const without = logistic.losses(logistic.train(rows, { indices }), queries);
    for (let q = 0; q < 4; q++) {
      const expected = (scores[q * ROWS + 8]! - meanOf(q)) / (ROWS - 1);
      expect(Math.abs(without[q]! - full[q]! - expected)).toBeLessThan(0.25 * Math.abs(expected) + 1e-5);
    }
  });

  it("has self-scores that equal the scores of the rows as queries", () => {
    const influence = exactInfluence(linear.rows, DECAY);
    const all = influence.scores(linear.rows);
    for (const [i, self] of influence.self().entries()) expect(all[i * ROWS + i]).toBeCloseTo(self, 9);
  });
});

describe("gradDotScores", () => {
  it.each([
    ["logistic", linear],
    ["layered", layered],
  ])("is the inner product of written-out gradients: %s", (_, { rows: r, queries: q }) => {
    const size = coordinateCount(r);
    const [left, right] = [writeGradients(q, size), writeGradients(r, size)];
    const scores = gradDotScores(r, q);
    for (const [k, score] of scores.entries()) {
      const [a, b] = [Math.floor(k / ROWS) * size, (k % ROWS) * size];
      expect(score).toBeCloseTo(inner([...left.subarray(a, a + size)], [...right.subarray(b, b + size)]), 10);
    }
    expect(gradDotSelf(r)[7]).toBeCloseTo(gradDotScores(r, r)[7 * ROWS + 7]!, 10);
  });
});

describe("dataInfScores", () => {
  it("is G q with G the rows times the mean of inverses, layer by layer", () => {
    const expected = new Float64Array(4 * ROWS);
    for (const layer of [0, 1]) {
      const g = layerGradients(layered.rows, layer);
      const asked = layerGradients(layered.queries, layer);
      const d = g[0]!.length;
      const lambda = (0.1 * g.reduce((sum, x) => sum + inner(x, x), 0)) / (ROWS * d);
      for (const [i, row] of g.entries()) {
        // Row i of G: M gᵢ, M = mean over k of (λ + g_k g_kᵀ)⁻¹ by the Sherman–Morrison formula.
        const folded = row.map((x, j) => {
          const correction = g.reduce((sum, k) => sum + (inner(k, row) * k[j]!) / (lambda + inner(k, k)), 0);
          return (x - correction / ROWS) / lambda;
        });
        for (const [q, query] of asked.entries()) {
          expected[q * ROWS + i] = expected[q * ROWS + i]! + inner(folded, query);
        }
      }
    }
    const scores = dataInfScores(layered.rows, layered.queries);
    for (const [k, score] of scores.entries()) {
      expect(Math.abs(score - expected[k]!)).toBeLessThan(1e-9 * (1 + Math.abs(expected[k]!)));
    }
    const self = dataInfSelf(layered.rows);
    expect(self[5]).toBeCloseTo(dataInfScores(layered.rows, layered.rows)[5 * ROWS + 5]!, 8);
  });
});

describe("trakScores", () => {
  const member = linear;

  it("agrees with exact influence in rank once the projection is wide", () => {
    const exact = exactInfluence(linear.rows, 1e-6).scores(linear.queries);
    const trak = trakScores([member], 64, "wide");
    for (let q = 0; q < 4; q++) {
      const at = [q * ROWS, (q + 1) * ROWS] as const;
      expect(pearson(trak.slice(...at), exact.slice(...at))).toBeGreaterThan(0.6);
    }
  });

  it("is the mean over the ensemble, and depends on the seed", () => {
    const once = trakScores([member], 8, "a");
    expect(trakScores([member], 8, "b")).not.toEqual(once);
    const twice = trakScores([member, member], 8, "a");
    expect(twice).not.toEqual(once);
    expect(trakScores([member], 8, "a")).toEqual(once);
  });

  it("has self-scores that equal the scores of the rows as queries", () => {
    const own = { rows: linear.rows, queries: linear.rows };
    expect(trakSelf([own], 16, "s")[9]).toBeCloseTo(trakScores([own], 16, "s")[9 * ROWS + 9]!, 9);
  });
});
