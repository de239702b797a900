import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
      fc.property(matrices, ([features, base, columnCount, asked]) => {
        const rowCount = base.length;
        const g = quantiseWithBase(Float64Array.from(features), Float64Array.from(base), 4, columnCount);
        const { values: query } = paddedQuery(Float64Array.from(asked), columnCount, MAX_QUERY);
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
