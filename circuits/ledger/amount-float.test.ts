import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_AMOUNT_WEI } from "../protocol.ts";
import { decodeAmount, encodeAmount, floorAmount } from "./amount-float.ts";

const code = fc.bigInt(0n, 2n ** 40n - 1n);
const wei = fc.bigInt(0n, MAX_AMOUNT_WEI);

describe("encodeAmount", () => {
  it("gives a code of the same value back, the one with the smallest exponent", () => {
    fc.assert(
      fc.property(code, (input) => {
        const encoded = encodeAmount(decodeAmount(input));
        expect(decodeAmount(encoded)).toBe(decodeAmount(input));
        expect(encoded >> 35n <= input >> 35n).toBe(true);
        expect(encoded < 2n ** 40n).toBe(true);
      }),
      { examples: [[0n], [2n ** 40n - 1n], [2n ** 35n], [(31n << 35n) | 0n], [(5n << 35n) | 10n]] },
    );
  });

  it("takes every whole number of wei below 2^35 and every multiple of 10^18 up to the supply", () => {
    for (const amount of [0n, 1n, 2n ** 35n - 1n, 10n ** 27n, 123_456_789n * 10n ** 18n]) {
      expect(decodeAmount(encodeAmount(amount))).toBe(amount);
    }
  });

  it("refuses what has no exact code and names the nearest below", () => {
    for (const [amount, below] of [
      [2n ** 35n + 1n, ((2n ** 35n + 1n) / 10n) * 10n],
      [10n ** 27n + 1n, 10n ** 27n],
      [-1n, 0n],
    ] as const) {
      expect(() => encodeAmount(amount)).toThrow(
        expect.objectContaining({
          code: "OP_AMOUNT_NOT_REPRESENTABLE",
          data: { amountWei: `${amount}`, nearestBelowWei: `${below}` },
        }),
      );
    }
    expect(() => encodeAmount((2n ** 35n - 1n) * 10n ** 31n + 10n ** 31n)).toThrow();
  });
});

describe("floorAmount", () => {
  it("is representable, not above the amount, and off by less than one part in 2^31", () => {
    fc.assert(
      fc.property(wei, (amount) => {
        const floor = floorAmount(amount);
        expect(decodeAmount(encodeAmount(floor))).toBe(floor);
        expect(floor <= amount).toBe(true);
        expect((amount - floor) * 2n ** 31n <= amount).toBe(true);
      }),
      { examples: [[0n], [1n], [2n ** 35n], [MAX_AMOUNT_WEI]] },
    );
    expect(floorAmount(-5n)).toBe(0n);
  });

  it("is the largest such amount", () => {
    fc.assert(
      fc.property(wei, (amount) => {
        // Every exponent's largest value not above the amount, by definition.
        const candidates = Array.from({ length: 32 }, (_, exponent) => {
          const scale = 10n ** BigInt(exponent);
          const mantissa = amount / scale < 2n ** 35n ? amount / scale : 2n ** 35n - 1n;
          return mantissa * scale;
        });
        const [largest] = candidates.sort((a, b) => (a < b ? 1 : -1));
        expect(floorAmount(amount)).toBe(largest);
      }),
    );
  });
});
