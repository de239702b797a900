import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meanInterval, roundedMean, roundedRatio, wilsonInterval } from "./intervals.ts";
import { sharingOf } from "./lorenz.ts";

describe("wilsonInterval", () => {
  it.each([
    // E. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: rounded to four digits there.
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    [29, 29, 1 - 0.117, 1],
  ])("bounds %i of %i as published", (count, total, low, high) => {
    const found = wilsonInterval(count, total);
    expect(found.low / 1e6).toBeCloseTo(low, 4);
    expect(found.high / 1e6).toBeCloseTo(high, 4);
  });

  it("is the formula's, rounded outwards, and mirrored for the other share", () => {
    const counts = fc
      .integer({ min: 1, max: 5_000_000 })
      .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(counts, ([x, n]) => {
        const z = 1.959964;
        const half = z * Math.sqrt(z * z + (4 * x * (n - x)) / n);
        const [low, high] = [-half, half].map((d) => (1e6 * (2 * x + z * z + d)) / (2 * (n + z * z)));
        const found = wilsonInterval(x, n);
        expect(found.low).toBeLessThanOrEqual(low! + 1e-3);
        expect(found.low).toBeGreaterThan(low! - 1.001);
        expect(found.high).toBeGreaterThanOrEqual(high! - 1e-3);
        expect(found.high).toBeLessThan(high! + 1.001);
        const other = wilsonInterval(n - x, n);
        expect(Math.abs(other.low + found.high - 1_000_000)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("meanInterval", () => {
  it("is x̄ ± t s/√n, and nothing for one value", () => {
    expect(meanInterval([7])).toBeNull();
    // Mean 3, s² = 2.5, t(4) = 2.776: half width 1.962928.
    expect(meanInterval([1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000])).toEqual({
      low: 1_037_071,
      high: 4_962_929,
    });
    expect(meanInterval([4, 4, 4])).toEqual({ low: 4, high: 4 });
    expect(meanInterval([0, 100])!.low).toBe(0);
    expect(roundedMean([1, 2])).toBe(2);
    expect(roundedRatio(1n, 3n)).toBe(0);
  });
});

describe("sharingOf", () => {
  it("counts the Gini number: half the mean difference of two people, in parts of the mean", () => {
    const giniPpm = (...amounts: bigint[]) => sharingOf(amounts)!.giniPpm;
    expect(giniPpm(5n, 5n, 5n, 5n)).toBe(0);
    expect(giniPpm(0n, 0n, 0n, 9n)).toBe(750_000);
    // (|1−2| + |1−3| + |2−3|) · 2 of 9 pairs is 8/9, and 8/9 / (2 · 2) = 2/9.
    expect(giniPpm(3n, 1n, 2n)).toBe(222_222);
    expect(giniPpm(10n ** 20n, 3n * 10n ** 20n)).toBe(250_000);
  });

  it("draws the curve from the poorest on, at 101 points at most", () => {
    expect(sharingOf([3n, 1n, 0n])!.lorenz).toEqual([
      { people: 0, ppm: 0 },
      { people: 1, ppm: 0 },
      { people: 2, ppm: 250_000 },
      { people: 3, ppm: 1_000_000 },
    ]);
    const many = sharingOf(Array.from({ length: 1_234 }, (_, i) => BigInt(i)))!;
    expect(many.lorenz).toHaveLength(101);
    expect(many.lorenz.at(-1)).toEqual({ people: 1_234, ppm: 1_000_000 });
    expect(sharingOf([0n, 0n])).toBeNull();
    expect(sharingOf([])).toBeNull();
  });
});
