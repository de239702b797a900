import { parseEther } from "viem";
import { expect, test } from "vitest";
import { type RollupParameters, unusualParameters } from "./rollup-parameters.ts";

const USUAL: RollupParameters = {
  idFeeWei: parseEther("1"),
  minDepositWei: parseEther("1"),
  queueBaseFeeWei: parseEther("1"),
  queueCapacity: 1024,
  supplyWei: parseEther("1000000000"),
};

test("finds nothing unusual in what deployments have by default, nor at the devnet's", () => {
  expect(unusualParameters(USUAL)).toEqual([]);
  expect(unusualParameters({ ...USUAL, idFeeWei: parseEther("0.5") })).toEqual([]);
});

test("names every parameter that few would expect", () => {
  const cases: [Partial<RollupParameters>, RegExp][] = [
    [{ idFeeWei: 0n }, /an id costs nothing/],
    [{ idFeeWei: parseEther("60") }, /an id costs 60 OPEN/],
    [{ minDepositWei: parseEther("1001") }, /no deposit below 1001 OPEN/],
    [{ queueBaseFeeWei: parseEther("126") }, /burns 126 OPEN, and 1008 OPEN/],
    [{ queueBaseFeeWei: 1n }, /hardly more than gas/],
    [{ queueCapacity: 8 }, /8 entries fill the queue/],
    [{ queueCapacity: 65_535 }, /65535 entries may wait/],
  ];
  for (const [overrides, text] of cases) {
    const found = unusualParameters({ ...USUAL, ...overrides });
    expect(found, String(text)).toEqual([expect.stringMatching(text)]);
  }
});
