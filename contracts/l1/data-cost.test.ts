import fc from "fast-check";
import { expect, test } from "vitest";
import { blobCostWei, calldataCostWei, crossover, type DataPrices } from "./data-cost.ts";

const GWEI = 10n ** 9n;
const prices = fc.record({
  gasPriceWei: fc.bigInt({ min: 1n, max: 1_000n * GWEI }),
  blobGasPriceWei: fc.bigInt({ min: 1n, max: 1_000n * GWEI }),
});

test("the crossover is the first number of operations at which a blob costs no more", () => {
  fc.assert(
    fc.property(prices, (now) => {
      const from = crossover("transfer", now);
      const inCalldata = (transfers: number) => calldataCostWei({ transfers, payments: 0 }, now);
      expect(inCalldata(from)).toBeGreaterThanOrEqual(blobCostWei(now));
      expect(inCalldata(from - 1)).toBeLessThan(blobCostWei(now));
    }),
  );
});

test("payments cross over before transfers, and dear blobs later", () => {
  const now: DataPrices = { gasPriceWei: 20n * GWEI, blobGasPriceWei: 20n * GWEI };
  expect(crossover("payment", now)).toBeLessThan(crossover("transfer", now));
  const dear = { ...now, blobGasPriceWei: 100n * GWEI };
  expect(crossover("transfer", dear)).toBeGreaterThan(crossover("transfer", now));
  expect(crossover("transfer", { gasPriceWei: 0n, blobGasPriceWei: 1n })).toBe(Number.POSITIVE_INFINITY);
});
