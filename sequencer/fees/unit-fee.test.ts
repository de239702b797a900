import { describe, expect, it } from "vitest";
import { aimOf, UnitFee, type UnitFeeRules } from "./unit-fee.ts";

const RULES: UnitFeeRules = {
  feeMode: "follow",
  feePerUnitWei: 1_000_000n,
  feeMinPerUnitWei: 1_000n,
  feeMaxPerUnitWei: 10n ** 18n,
  feeStepPerMille: 125,
  feeMarginPerMille: 200,
  feeLoadPerMille: 1_000,
  feeGasPerBatch: 300_000,
  feeGasPerUnit: 100,
  feeUnitsPerBatch: 1_000,
  feeProofCostWei: 0n,
};
const OPEN_PER_ETHER = 20_000n * 10n ** 18n;
const GWEI = 10n ** 9n;

function feeOf(rules: Partial<UnitFeeRules> = {}, announced: bigint | null = null) {
  const world = { nowMs: 1_000_000, openPerEtherWei: OPEN_PER_ETHER as bigint | null };
  const modules = { clock: () => world.nowMs, openPerEther: () => world.openPerEtherWei };
  return { world, fee: new UnitFee({ ...RULES, ...rules }, modules, announced) };
}

describe("aimOf", () => {
  const prices = { gasPriceWei: GWEI, load: 0, openPerEtherWei: OPEN_PER_ETHER };

  it("is gas at L1's price, a share of the proof, and the margin", () => {
    // (300,000 / 1,000 + 100) gas · 1 gwei · 20,000 OPEN an ether · 1.2
    expect(aimOf(RULES, prices)).toBe((400n * GWEI * 20_000n * 12n) / 10n);
    // A proof for 1 OPEN, over 1,000 units, with the margin.
    const withProof = aimOf({ ...RULES, feeProofCostWei: 10n ** 18n }, prices);
    expect(withProof - aimOf(RULES, prices)).toBe((10n ** 15n * 12n) / 10n);
  });

  it("rises with the load, and no further than the setting", () => {
    const calm = aimOf(RULES, prices);
    expect(aimOf(RULES, { ...prices, load: 0.5 })).toBe((calm * 3n) / 2n);
    for (const load of [1, 1.5, 100]) expect(aimOf(RULES, { ...prices, load })).toBe(calm * 2n);
    expect(aimOf(RULES, { ...prices, load: -1 })).toBe(calm);
  });

  it("is rounded up: never below the cost", () => {
    const free = { ...RULES, feeMarginPerMille: 0, feeGasPerBatch: 1, feeGasPerUnit: 0 };
    expect(aimOf(free, { gasPriceWei: 1n, load: 0, openPerEtherWei: 10n ** 18n })).toBe(1n);
  });
});

describe("a fee that follows", () => {
  it("goes to its aim in bounded steps, from below and from above", () => {
    for (const start of [1_000_000n, 10n ** 17n]) {
      const { fee } = feeOf({ feePerUnitWei: start });
      fee.noteGasPrice(GWEI);
      const { aimWei } = fee.basis(0)!;
      let count = 0;
      while (fee.nextWei !== aimWei) {
        const before = fee.nextWei;
        fee.advance(0);
        const moved = fee.nextWei > before ? fee.nextWei - before : before - fee.nextWei;
        expect(moved * 1_000n).toBeLessThanOrEqual(before * 125n);
        expect(moved).toBeGreaterThan(0n);
        if (++count > 500) throw new Error("the fee does not arrive");
      }
      expect(fee.advance(0)).toBe(aimWei);
    }
  });

  it("jumps at no price, stays within min and max, and never rises above 64 bits", () => {
    const { fee } = feeOf({ feeMaxPerUnitWei: 2n ** 70n, feePerUnitWei: 0n, feeMinPerUnitWei: 0n });
    let seed = 1n;
    for (let i = 0; i < 2_000; i++) {
      seed = (seed * 6_364_136_223_846_793_005n + 1n) % 2n ** 64n;
      const before = fee.nextWei;
      fee.noteGasPrice(1n << (seed >> 57n));
      const next = fee.advance(Number(seed & 3n) / 2);
      expect(next).toBeLessThan(2n ** 64n);
      const max = before / 8n < 1n ? 1n : before / 8n;
      expect(next - before <= max && before - next <= max).toBe(true);
      expect(next).toBeLessThanOrEqual(fee.highestAfter(before));
    }
    const { fee: tight } = feeOf({ feeMinPerUnitWei: 900_000n, feeMaxPerUnitWei: 1_100_000n });
    tight.noteGasPrice(10n ** 15n);
    for (let i = 0; i < 5; i++) tight.advance(0);
    expect(tight.nextWei).toBe(1_100_000n);
    tight.noteGasPrice(0n);
    for (let i = 0; i < 5; i++) tight.advance(0);
    expect(tight.nextWei).toBe(900_000n);
  });

  it("leaves zero again, by a wei at first", () => {
    const { fee } = feeOf({ feePerUnitWei: 0n, feeMinPerUnitWei: 0n });
    fee.noteGasPrice(GWEI);
    expect([fee.advance(0), fee.advance(0)]).toEqual([1n, 2n]);
  });

  it("stays where it is while L1 is silent, or nobody knows OPEN's price", () => {
    const { fee, world } = feeOf();
    expect(fee.advance(1)).toBe(1_000_000n);
    fee.noteGasPrice(GWEI);
    world.openPerEtherWei = null;
    expect(fee.advance(1)).toBe(1_000_000n);
    world.openPerEtherWei = OPEN_PER_ETHER;
    expect(fee.advance(0)).toBe(1_125_000n);
    world.nowMs += 600_001;
    expect(fee.basis(0)).toBeNull();
    expect(fee.advance(1)).toBe(1_125_000n);
    fee.noteGasPrice(GWEI);
    expect(fee.advance(0)).toBe(1_265_625n);
  });

  it("goes on with what was announced, within the present settings", () => {
    expect(feeOf({}, 777_777n).fee.nextWei).toBe(777_777n);
    expect(feeOf({ feeMaxPerUnitWei: 5_000n }, 777_777n).fee.nextWei).toBe(5_000n);
  });
});

describe("a constant fee", () => {
  it("is the setting, whatever happens", () => {
    const { fee } = feeOf({ feeMode: "constant", feeMinPerUnitWei: 5_000_000n }, 777n);
    fee.noteGasPrice(10n ** 15n);
    expect(fee.advance(1)).toBe(1_000_000n);
    expect(fee.basis(1)).toBeNull();
  });
});
