import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QUICK_GAMING, simulateGaming } from "./gaming.ts";
import { splitDraw } from "./reward-shares.ts";

describe("splitDraw", () => {
  it("pays by positive scores, never more than there is, and less by dust only", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -(2 ** 26), max: 2 ** 26 }), fc.nat(3)), {
          minLength: 1,
          maxLength: 50,
        }),
        fc.bigInt({ min: 0n, max: 2n ** 96n - 1n }),
        (rows, amount) => {
          const scores = Int32Array.from(rows, ([score]) => score);
          const owners = Int32Array.from(rows, ([, owner]) => owner);
          const paid = splitDraw(scores, owners, 4, amount);
          const total = paid.reduce((sum, wei) => sum + wei, 0n);
          expect(total).toBeLessThanOrEqual(amount);
          // floor of the rate loses Σ A / 2^64 wei at most, floor of each slot one wei.
          expect(amount - total).toBeLessThanOrEqual(5n);
          if (scores.some((score) => score > 0)) {
            for (const slot of [0, 1, 2, 3]) {
              const earns = rows.some(([score, owner]) => owner === slot && score > 0);
              if (!earns) expect(paid[slot]).toBe(0n);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("pays by row counts if no score is positive", () => {
    const paid = splitDraw(Int32Array.of(-5, 0, -1, -9), Int32Array.of(0, 1, 1, 1), 2, 2n ** 66n);
    expect(paid).toEqual([2n ** 64n, 3n * 2n ** 64n]);
  });
});

describe("simulateGaming", () => {
  const report = simulateGaming(QUICK_GAMING);

  it("gains nothing by splitting rows among accounts, but for dust", () => {
    expect(report.sybil.factor).toBeLessThanOrEqual(1);
    expect(report.sybil.factor).toBeGreaterThan(1 - 1e-9);
  });

  it("refuses exact copies; near-copies take their reward from the copied rows", () => {
    expect(report.copy.areExactCopiesRefused).toBe(true);
    expect(report.copy.victimFactor).toBeLessThan(1);
  });

  it("loses at least the platform's part by paying oneself, in expectation and over simulated epochs", () => {
    const { factor, profit, simulated, ownDrawShare } = report.selfPay;
    expect(profit).toBeLessThanOrEqual(-0.05);
    expect(factor).toBeCloseTo(0.95 * ownDrawShare, 12);
    const error = simulated.deviation / Math.sqrt(simulated.epochs);
    expect(Math.abs(simulated.mean - factor)).toBeLessThan(5 * error);
  });
});
