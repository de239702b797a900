import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  blobReplacementFees,
  initialBlobFees,
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

describe("fees with blobs", () => {
  const caps = { maxFeePerGasWei: CAP, maxFeePerBlobGasWei: CAP };

  test("double with each replacement, and say the cap where they cannot double again", () => {
    const market = { baseFeePerGasWei: 10n, priorityFeePerGasWei: 3n };
    const first = { maxFeePerGasWei: 23n, maxPriorityFeePerGasWei: 3n, maxFeePerBlobGasWei: 14n };
    expect(initialBlobFees(market, 7n, caps)).toEqual(first);
    expect(blobReplacementFees(first, market, 7n, caps)).toEqual({
      maxFeePerGasWei: 46n,
      maxPriorityFeePerGasWei: 6n,
      maxFeePerBlobGasWei: 28n,
    });
    const untipped = { maxFeePerGasWei: 0n, maxPriorityFeePerGasWei: 0n, maxFeePerBlobGasWei: 0n };
    const free = { baseFeePerGasWei: 0n, priorityFeePerGasWei: 0n };
    expect(blobReplacementFees(untipped, free, 0n, caps)).toEqual({
      maxFeePerGasWei: 1n,
      maxPriorityFeePerGasWei: 1n,
      maxFeePerBlobGasWei: 2n,
    });
    // Either fee alone forbids a replacement.
    const atCap = { ...caps, maxPriorityFeePerGasWei: 3n };
    expect(initialBlobFees(market, CAP / 4n, caps)).toMatchObject({ maxFeePerBlobGasWei: CAP / 2n });
    expect(initialBlobFees(market, CAP / 4n + 1n, caps)).toEqual(atCap);
    expect(initialBlobFees({ ...market, baseFeePerGasWei: CAP / 3n }, 7n, caps)).toEqual(atCap);
  });

  test("end at the cap, and never at a place between from which they cannot rise", () => {
    fc.assert(
      fc.property(wei, wei, wei, (baseFeePerGasWei, priorityFeePerGasWei, blobBaseFeeWei) => {
        const market = { baseFeePerGasWei, priorityFeePerGasWei };
        let fees = initialBlobFees(market, blobBaseFeeWei, caps);
        for (let next = fees as typeof fees | null; next !== null; ) {
          fees = next;
          next = blobReplacementFees(fees, market, blobBaseFeeWei, caps);
          if (next === null) expect(fees).toMatchObject(caps);
          else {
            expect(next.maxFeePerBlobGasWei >= 2n * fees.maxFeePerBlobGasWei).toBe(true);
            for (const name of ["maxFeePerGasWei", "maxPriorityFeePerGasWei", "maxFeePerBlobGasWei"] as const)
              expect(next[name] > fees[name]).toBe(true);
          }
        }
        expect(fees.maxPriorityFeePerGasWei <= CAP).toBe(true);
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
