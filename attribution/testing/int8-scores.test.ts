import { describe, expect, it } from "vitest";
import { timesTransposed } from "../maths/dense-matrix.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { clipRowNorms } from "../rows/row-rules.ts";
import { int8Scores } from "./int8-scores.ts";
import { pearson } from "./quality-metrics.ts";

const ROWS = 90;
const QUERIES = 6;
const realScores = (of: { rows: Float64Array; queries: Float64Array; featureCount: number }) =>
  timesTransposed(of.queries, QUERIES, of.rows, ROWS, of.featureCount);

/** The least correlation of two score matrices over rows, among queries. */
const minCorrelation = (a: Float64Array, b: Float64Array) =>
  Math.min(
    ...Array.from({ length: QUERIES }, (_, q) =>
      pearson(a.slice(q * ROWS, (q + 1) * ROWS), b.slice(q * ROWS, (q + 1) * ROWS)),
    ),
  );

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
    expect(minCorrelation(scores, realScores(real))).toBeGreaterThan(0.999);
  });

  it("lose all but one row where that one is far longer, which is what clipping prevents", () => {
    const rowsWithOne = real.rows.map((x, k) => (k < featureCount ? 1000 * x : x));
    const scores = int8Scores({ ...real, rows: rowsWithOne });
    expect(scores.slice(1, ROWS).every((score) => score === 0)).toBe(true);
    const clipped = int8Scores({ ...real, rows: clipRowNorms(rowsWithOne, featureCount, 0.95) });
    expect(minCorrelation(clipped, realScores(real))).toBeGreaterThan(0.99);
  });
});
