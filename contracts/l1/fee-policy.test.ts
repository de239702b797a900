import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  initialFees,
  isOutOfGas,
  MAX_TRANSACTION_GAS,
  paddedGas,
  replacementFees,
  worstCaseGas,
} from "./fee-policy.ts";

const CAP = 10n ** 12n;
const wei = fc.bigInt({ min: 0n, max: 10n ** 11n });

describe("initialFees", () => {
  test("outlasts the base fee doubling and never exceeds the cap", () => {
    expect(initialFees({ baseFeePerGasWei: 10n, priorityFeePerGasWei: 3n }, CAP)).toEqual({
      maxFeePerGasWei: 23n,
      maxPriorityFeePerGasWei: 3n,
    });
    expect(initialFees({ baseFeePerGasWei: CAP, priorityFeePerGasWei: 3n }, CAP).maxFeePerGasWei).toBe(CAP);
    expect(
      initialFees({ baseFeePerGasWei: 1n, priorityFeePerGasWei: 2n * CAP }, CAP).maxPriorityFeePerGasWei,
    ).toBe(CAP);
  });
});

describe("replacementFees", () => {
  test("raises both fees by at least an eighth, or refuses", () => {
    fc.assert(
      fc.property(wei, wei, wei, wei, (maxFee, tip, baseFeePerGasWei, priorityFeePerGasWei) => {
        const last = { maxFeePerGasWei: maxFee + tip, maxPriorityFeePerGasWei: tip };
        const fees = replacementFees(last, { baseFeePerGasWei, priorityFeePerGasWei }, CAP);
        if (fees === null) {
          expect(
            (maxFee + tip) * 9n > CAP * 8n - 8n || 2n * baseFeePerGasWei + priorityFeePerGasWei > CAP,
          ).toBe(true);
          return;
        }
        expect(fees.maxFeePerGasWei * 8n >= last.maxFeePerGasWei * 9n).toBe(true);
        expect(fees.maxPriorityFeePerGasWei * 8n >= tip * 9n).toBe(true);
        expect(fees.maxFeePerGasWei > last.maxFeePerGasWei && fees.maxPriorityFeePerGasWei > tip).toBe(true);
        expect(fees.maxFeePerGasWei >= fees.maxPriorityFeePerGasWei && fees.maxFeePerGasWei <= CAP).toBe(
          true,
        );
      }),
    );
  });
});

describe("gas limits", () => {
  test("add 17,100 for each credit and a fifth, and stay below what a transaction and a block may have", () => {
    expect(worstCaseGas(100_000n, 3)).toBe(151_300n);
    expect(paddedGas(151_300n)).toBe(181_560n);
    expect(paddedGas(14_000_000n)).toBe(MAX_TRANSACTION_GAS);
    expect(paddedGas(14_000_000n, 15_000_000n)).toBe(15_000_000n);
    expect(paddedGas(14_000_000n, 30_000_000n)).toBe(MAX_TRANSACTION_GAS);
  });

  test("call it out of gas where all but the 64th that inner calls leave is gone", () => {
    expect(isOutOfGas(6_400_000n, 6_400_000n)).toBe(true);
    expect(isOutOfGas(6_300_000n, 6_400_000n)).toBe(true);
    expect(isOutOfGas(6_299_999n, 6_400_000n)).toBe(false);
  });
});
