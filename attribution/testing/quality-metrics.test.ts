import { describe, expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import {
  difference,
  groupAttributions,
  leaveOneOutCorrelation,
  linearDatamodelingScore,
  mislabelAuc,
  pearson,
  spearman,
} from "./quality-metrics.ts";

const of = (...values: number[]) => Float64Array.from(values);

describe("spearman", () => {
  it("sees only the order", () => {
    expect(spearman(of(1, 2, 3, 4), of(1, 10, 100, 1000))).toBeCloseTo(1, 14);
    expect(spearman(of(1, 2, 3, 4), of(9, 7, 5, 3))).toBeCloseTo(-1, 14);
  });

  it("gives equal values the mean of their ranks", () => {
    // Ranks 0.5, 0.5, 2 against 0, 1, 2: √(3)/2.
    expect(spearman(of(5, 5, 9), of(1, 2, 3))).toBeCloseTo(Math.sqrt(3) / 2, 14);
  });

  it("is 0 where one side is constant", () => {
    expect(spearman(of(1, 1, 1), of(1, 2, 3))).toBe(0);
    expect(pearson(of(1, 2, 3), of(4, 4, 4))).toBe(0);
  });
});

describe("linearDatamodelingScore", () => {
  const random = new SeededRandom("lds");
  const [rowCount, queryCount] = [30, 6];
  const scores = Float64Array.from({ length: rowCount * queryCount }, () => random.nextFraction() - 0.5);
  const subsets = Array.from({ length: 40 }, () => random.subset(rowCount, 15));
  const predicted = groupAttributions(scores, rowCount, subsets);

  it("is 1 for scores that add up to the outputs, whatever their scale", () => {
    const outputs = predicted.map((row) => row.map((x) => 7 * x - 3));
    expect(linearDatamodelingScore(predicted, outputs, "s").value).toBeCloseTo(1, 12);
  });

  it("falls with noise, and its range holds the value", () => {
    const noisy = predicted.map((row) => row.map((x) => x + 3 * (random.nextFraction() - 0.5)));
    const { value, low, high } = linearDatamodelingScore(predicted, noisy, "s");
    expect(value).toBeGreaterThan(0.3);
    expect(value).toBeLessThan(0.95);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    expect(high - low).toBeLessThan(0.5);
  });

  it("is near 0 for unrelated outputs", () => {
    const unrelated = predicted.map((row) => row.map(() => random.nextFraction()));
    expect(Math.abs(linearDatamodelingScore(predicted, unrelated, "s").value)).toBeLessThan(0.2);
  });

  it("differs from itself by nothing, sample by sample", () => {
    const noisy = predicted.map((row) => row.map((x) => x + random.nextFraction()));
    const a = linearDatamodelingScore(predicted, noisy, "s");
    expect(difference(a, linearDatamodelingScore(predicted, noisy, "s"))).toMatchObject({
      value: 0,
      low: 0,
      high: 0,
    });
  });
});

describe("leaveOneOutCorrelation", () => {
  it("is linear, not of ranks", () => {
    const predicted = [of(1), of(2), of(3)];
    const effects = [of(1), of(2), of(30)];
    expect(leaveOneOutCorrelation(predicted, effects, "s").value).toBeCloseTo(
      pearson(of(1, 2, 3), of(1, 2, 30)),
      12,
    );
  });
});

describe("mislabelAuc", () => {
  it("is 1 if all wrong rows score highest, 0 if lowest, ½ if nothing differs", () => {
    const wrong = [true, true, false, false, false];
    expect(mislabelAuc(of(9, 8, 1, 2, 3), wrong, "s").value).toBe(1);
    expect(mislabelAuc(of(1, 0, 7, 2, 3), wrong, "s").value).toBe(0);
    expect(mislabelAuc(of(4, 4, 4, 4, 4), wrong, "s").value).toBe(0.5);
  });
});
