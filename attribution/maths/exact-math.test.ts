import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactExp, exactLog, softmaxInPlace } from "./exact-math.ts";

/** Relative distance of two doubles, in units of 2^−52. */
const ulps = (a: number, b: number) => Math.abs(a - b) / (Math.abs(b) * 2 ** -52);

describe("exactExp", () => {
  it.each([
    // Pinned; e is one unit in the last position above the nearest double, as in fdlibm.
    [1, 0x4005bf0a, 0x8b14576a],
    [0.5, 0x3ffa6129, 0x8e1e069c],
    [-1, 0x3fd78b56, 0x362cef38],
    [10, 0x40d5829d, 0xcf950560],
  ])("gives the same bits for %f on every machine", (x, high, low) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, exactExp(x));
    expect([view.getUint32(0), view.getUint32(4)]).toEqual([high, low]);
  });

  it("is the exponential within one unit in the last place", () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        expect(ulps(exactExp(x), Math.exp(x))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("reaches its limits: overflow, subnormal results, zero, not a number", () => {
    expect(exactExp(710)).toBe(Number.POSITIVE_INFINITY);
    expect(exactExp(-745)).toBe(5e-324);
    expect(exactExp(-746)).toBe(0);
    expect(exactExp(0)).toBe(1);
    expect(exactExp(Number.NaN)).toBeNaN();
  });
});

describe("exactLog", () => {
  it("is the logarithm within one unit in the last place, subnormal numbers too", () => {
    fc.assert(
      fc.property(fc.double({ min: 5e-324, max: 1.7e308, noNaN: true }), (x) => {
        const log = Math.log(x);
        expect(log === 0 ? Math.abs(exactLog(x)) : ulps(exactLog(x), log)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
    expect(exactLog(5e-324)).toBe(Math.log(5e-324));
  });

  it("knows 1, 0 and negative numbers", () => {
    expect(exactLog(1)).toBe(0);
    expect(exactLog(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(exactLog(-1)).toBeNaN();
  });
});

describe("softmaxInPlace", () => {
  it("sums to one and does not overflow", () => {
    const logits = Float64Array.from([9, 1000, 999, 998, 9]);
    const logSum = softmaxInPlace(logits, 1, 3);
    expect(logits[1]! + logits[2]! + logits[3]!).toBeCloseTo(1, 14);
    expect(logSum).toBeCloseTo(1000 + Math.log(1 + Math.exp(-1) + Math.exp(-2)), 12);
    expect([logits[0], logits[4]]).toEqual([9, 9]);
  });
});
