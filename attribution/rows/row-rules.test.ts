import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clipRowNorms, shareNearDuplicates } from "./row-rules.ts";

const code = (name: string) => expect.objectContaining({ code: name });
const lengths = (features: Float64Array, featureCount: number) =>
  Array.from({ length: features.length / featureCount }, (_, i) =>
    Math.hypot(...features.subarray(i * featureCount, (i + 1) * featureCount)),
  );

describe("shareNearDuplicates", () => {
  const features = Float64Array.of(6, 0, 5, 5, 6, 1, 9, 9, 3, 3);
  const duplicates = [
    { later: 2, earlier: 0, similarity: 0.99 },
    { later: 4, earlier: 0, similarity: 0.98 },
  ];

  it("divides all rows of a cluster by its size and leaves the others", () => {
    expect([...shareNearDuplicates(features, 2, duplicates)]).toEqual([2, 0, 5, 5, 2, 1 / 3, 9, 9, 1, 1]);
    expect(features[0]).toBe(6);
  });

  it("gives a cluster of exact copies the score of one row", () => {
    const copies = Float64Array.of(4, -2, 1, 1, 4, -2);
    const [a, b, c, d, e, f] = shareNearDuplicates(copies, 2, [{ later: 2, earlier: 0, similarity: 1 }]);
    expect([a! + e!, b! + f!, c, d]).toEqual([4, -2, 1, 1]);
  });

  it("refuses rows that are not there, and clusters out of order", () => {
    for (const [later, earlier] of [
      [5, 0],
      [1, 1],
      [0, 3],
    ] as const) {
      expect(() => shareNearDuplicates(features, 2, [{ later, earlier, similarity: 1 }])).toThrow(
        code("ATT_INPUT_INVALID"),
      );
    }
    expect(() => shareNearDuplicates(features, 3, [])).toThrow(code("ATT_INPUT_INVALID"));
  });
});

describe("clipRowNorms", () => {
  it("cuts the longest rows to the quantile's length, in their direction", () => {
    const clipped = clipRowNorms(Float64Array.of(3, 4, 0, 1, -30, 40, 0, 2), 2, 0.75);
    expect([...clipped]).toEqual([3, 4, 0, 1, -3, 4, 0, 2]);
  });

  it("changes nothing at quantile 1, and keeps every row as long as it was or as the quantile", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 60 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, quantile) => {
          const features = Float64Array.from(values.slice(0, values.length - (values.length % 3)));
          expect(clipRowNorms(features, 3, 1)).toEqual(features);
          const before = lengths(features, 3);
          const limit = [...before].sort((a, b) => a - b)[Math.ceil(quantile * before.length) - 1]!;
          for (const [i, length] of lengths(clipRowNorms(features, 3, quantile), 3).entries()) {
            expect(length).toBeCloseTo(Math.min(before[i]!, limit), 9);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("copes with zeros and with no rows", () => {
    expect(clipRowNorms(new Float64Array(6), 3, 0.5)).toEqual(new Float64Array(6));
    expect(clipRowNorms(new Float64Array(0), 3, 0.5)).toEqual(new Float64Array(0));
  });

  it("refuses a quantile outside (0, 1]", () => {
    for (const quantile of [0, 1.1, Number.NaN]) {
      expect(() => clipRowNorms(Float64Array.of(1), 1, quantile)).toThrow(code("ATT_RECIPE_INVALID"));
    }
  });
});
