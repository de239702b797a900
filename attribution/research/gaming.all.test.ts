import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitDraw } from "../scores/reward-shares.ts";
import { copiedRows } from "./copied-rows.ts";
import { QUICK_GAMING, selectedRows, simulateGaming } from "./gaming.ts";
import {
  ALL_RULES,
  DEFAULT_RULES,
  makeWorld,
  marketDuplicates,
  NO_RULES,
  openMarket,
} from "./gaming-market.ts";
import { ownersProfit } from "./self-payment.ts";

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
          // floor of the rate loses Σ W / 2^40 wei at most, floor of each earner one wei.
          expect(amount - total).toBeLessThanOrEqual(5n);
          if (scores.some((score) => score > 0)) {
            for (const earner of [0, 1, 2, 3]) {
              const earns = rows.some(([score, owner]) => owner === earner && score > 0);
              if (!earns) expect(paid[earner]).toBe(0n);
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
    for (const { sybil } of [report.bounded, report.shared, report.unbounded]) {
      expect(sybil.factor).toBeLessThanOrEqual(1);
      expect(sybil.factor).toBeGreaterThan(1 - 1e-9);
    }
  });

  it("pays nothing for copies that differ by a pixel or are moved, where near-duplicates are left out", () => {
    const { unbounded, bounded } = report;
    expect(report.areExactCopiesRefused).toBe(true);
    expect(unbounded.copy.factorByWay.touch).toBeGreaterThan(0.5);
    expect(unbounded.copy.victimFactor).toBeLessThan(1);
    expect(bounded.copy.factorByWay.touch).toBe(0);
    expect(bounded.copy.factorByWay.move).toBeLessThan(0.5 * unbounded.copy.factorByWay.move);
    expect(bounded.copy.factor).toBe(Math.max(...Object.values(bounded.copy.factorByWay)));
  });

  it("loses at least the treasury's part by paying oneself, in expectation and over simulated epochs", () => {
    const { factor, profit, worstCaseProfit, simulated, ownDrawShare } = report.selfPay;
    expect(worstCaseProfit).toBeCloseTo(-3277 / 65536, 9);
    expect(profit).toBeLessThanOrEqual(worstCaseProfit);
    expect(factor).toBeCloseTo((1 - 3277 / 65536) * ownDrawShare, 9);
    const error = simulated.deviation / Math.sqrt(simulated.epochs);
    expect(Math.abs(simulated.mean - factor)).toBeLessThan(5 * error);
  });
});

describe("ownersProfit", () => {
  it("is minus the treasury's part whatever the owner's part, never more", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 10n ** 6n, max: 2n ** 96n - 1n }),
        fc.bigInt({ min: 0n, max: 62_259n }),
        (amountWei, ownerParts) => {
          const profit = ownersProfit(amountWei, ownerParts);
          // Rounded down to a wei of a draw, of 62,500 wei at least.
          expect(Math.abs(profit + 3277 / 65536)).toBeLessThan(2e-5);
          expect(profit).toBeLessThan(0);
        },
      ),
    );
  });
});

describe("openMarket", () => {
  const world = makeWorld(QUICK_GAMING);
  const { rowsEach } = QUICK_GAMING;
  const copied = copiedRows(world, [20, 31, 42], { way: "touch", extraSteps: 0, isHiding: false }, "t");

  it("pays out everything, with and without the rules", () => {
    for (const rules of [NO_RULES, DEFAULT_RULES, ALL_RULES]) {
      const { rowShares } = openMarket(world, world.rows, rowsEach, rules, QUICK_GAMING);
      expect(rowShares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }
  });

  it("leaves the copies out, not the rows that were there first", () => {
    const { kept, rowShares } = openMarket(world, copied, 3, ALL_RULES, QUICK_GAMING);
    expect([0, 1, 2].some((copy) => kept.includes(copy))).toBe(false);
    expect([20, 31, 42].every((victim) => kept.includes(victim))).toBe(true);
    expect(rowShares.subarray(0, 3)).toEqual(new Float64Array(3));
  });

  it("lets a row and its copy share one reward where only features are compared", () => {
    const shareOf = (alikeFeaturesShare: boolean) => {
      const rules = { ...NO_RULES, alikeFeaturesShare };
      const { rowShares } = openMarket(world, copied, 3, rules, QUICK_GAMING);
      return rowShares.subarray(0, 3).reduce((sum, share) => sum + share, 0);
    };
    expect(shareOf(true)).toBeLessThan(0.75 * shareOf(false));
  });
});

describe("selectedRows", () => {
  it("earn more than others' rows do, and are whole digits of the attacker's own data", () => {
    const options = { ...QUICK_GAMING, rowsEach: 20, queryCount: 60 };
    const world = makeWorld(options);
    const selected = selectedRows(world, options);
    const own = new Set(world.shadowRows.contents.map((content) => content.join()));
    expect(selected.contents.slice(0, 20).every((content) => own.has(content.join()))).toBe(true);
    expect(selected.contents.slice(20)).toEqual(world.rows.contents.slice(20));
    const { rowShares } = openMarket(world, selected, 20, NO_RULES, options);
    expect(rowShares.subarray(0, 20).reduce((sum, share) => sum + share, 0)).toBeGreaterThan(
      1 / options.contributors,
    );
  });
});

describe("copiedRows", () => {
  const world = makeWorld(QUICK_GAMING);

  it("hides from the comparison of pixels where that is asked for, and only then", () => {
    const victims = [20, 31, 42, 53];
    const found = (isHiding: boolean) =>
      marketDuplicates(
        copiedRows(world, victims, { way: "blend", extraSteps: 0, isHiding }, "t"),
        victims.length,
      ).filter(({ later }) => later >= world.rows.labels.length - victims.length).length;
    expect(found(false)).toBe(4);
    expect(found(true)).toBeLessThan(4);
  });
});
