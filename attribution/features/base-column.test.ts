import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restOfQuery } from "../model/recipe-fields.ts";
import { registeredFeatures } from "../model/registered-features.ts";
import { integerScores } from "../scores/integer-scores.ts";
import { baseUnit, quantiseWithBase } from "./base-column.ts";
import { MAX_FEATURE, MAX_QUERY, paddedQuery } from "./quantise.ts";

const real = fc.double({ min: -1e3, max: 1e3, noNaN: true });

describe("quantiseWithBase", () => {
  it("adds the same whole number of units to a row's score for every query, and never saturates", () => {
    const matrices = fc.integer({ min: 1, max: 6 }).chain((rowCount) =>
      fc.tuple(
        fc.array(real, { minLength: 4 * rowCount, maxLength: 4 * rowCount }),
        // Far beyond what any policy gives.
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
          minLength: rowCount,
          maxLength: rowCount,
        }),
        fc.integer({ min: 5, max: 9 }),
        fc.array(real, { minLength: 4, maxLength: 4 }),
      ),
    );
    fc.assert(
      fc.property(matrices, ([features, base, columnCount, question]) => {
        const rowCount = base.length;
        const g = quantiseWithBase(Float64Array.from(features), Float64Array.from(base), 4, columnCount);
        const { values: query } = paddedQuery(Float64Array.from(question), columnCount, MAX_QUERY);
        const scores = integerScores({ features: g.values, rowCount, featureCount: columnCount, query });
        for (let i = 0; i < rowCount; i++) {
          const row = g.values.subarray(i * columnCount, (i + 1) * columnCount);
          expect(row.every((entry) => Math.abs(entry) <= MAX_FEATURE)).toBe(true);
          for (let t = 0; t < 4; t++) {
            expect(Math.abs(row[t]! * g.scale - features[4 * i + t]!)).toBeLessThanOrEqual(0.5001 * g.scale);
          }
          const units = row.subarray(4).reduce((sum, entry) => sum + entry, 0);
          expect(Math.abs(units * g.scale - base[i]!)).toBeLessThanOrEqual(0.5001 * g.scale + 1e-9);
          const own = row.subarray(0, 4).reduce((sum, entry, t) => sum + entry * query[t]!, 0);
          expect(scores[i]).toBe(own + MAX_QUERY * units);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves features as they are where the base fits their scale", () => {
    const features = Float64Array.of(1, -2, 3, 127);
    const { scale, values } = quantiseWithBase(features, Float64Array.of(100, -126.6), 2, 4);
    expect(scale).toBe(1);
    expect([...values]).toEqual([1, -2, 50, 50, 3, 127, -64, -63]);
  });
});

it("a threshold is the same for all rows, whatever part of a base each has, and queries show it", () => {
  const features = Float64Array.from({ length: 32 }, (_, k) => Math.cos(k));
  const base = { flatPermille: 100 };
  const rules = { normQuantile: 1, nearDuplicatesShare: false };
  const columnOf = (more: object, baseParts: Float64Array) => {
    const recipe = { columnCount: 9, rules: { ...rules, ...more } };
    const { scale, values } = registeredFeatures(features, 8, recipe, { baseParts, duplicates: () => [] });
    return [8, 17, 26, 35].map((at) => values[at]! * scale);
  };
  const parts = Float64Array.of(1, 2, 3, 0);
  const unit = baseUnit(features, 8);
  for (const [more, expected] of [
    [{ thresholdPermille: 250 }, [-0.25, -0.25, -0.25, -0.25]],
    [{ base, thresholdPermille: 250 }, [-0.15, -0.05, 0.05, -0.25]],
  ] as const)
    for (const [row, value] of columnOf(more, parts).entries())
      expect(Math.abs(value - expected[row]! * unit)).toBeLessThan(0.01);
  expect(restOfQuery({ rules: { ...rules, thresholdPermille: 250 } })).toBe(MAX_QUERY);
  expect(restOfQuery({ rules })).toBe(1);
});

describe("baseUnit", () => {
  const features = Float64Array.from({ length: 60 }, (_, k) => Math.sin(k) * (1 + (k % 7)));

  it("is in units of features: twice the features, twice the unit", () => {
    const twice = features.map((x) => 2 * x);
    expect(baseUnit(twice, 4)).toBe(2 * baseUnit(features, 4));
    expect(baseUnit(features, 4)).toBeGreaterThan(0);
  });

  it("is 0 where no row has features", () => {
    expect(baseUnit(new Float64Array(8), 4)).toBe(0);
  });
});
