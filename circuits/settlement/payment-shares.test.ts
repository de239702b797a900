/** Test of the shares of a payment as people read them. */
import { expect, it } from "vitest";
import { drawShares, fewDraws, MIN_DRAWS, paymentShares, splitOfPercents } from "./settlement-split.ts";

it("names whom a payment pays, the treasury among them, as a settlement divides it", () => {
  const split = splitOfPercents({ ownerPercent: 20, validatorPercent: 12.5 });
  expect(paymentShares(split)).toEqual([
    { to: "contributors", share: "65.6 %" },
    { to: "validators", share: "9.4 %" },
    { to: "the model's owner", share: "20 %" },
    { to: "the treasury", share: "5 %" },
  ]);
  const wei = 2n * 10n ** 18n;
  for (const [owner, validators] of [
    [0, 0],
    [13_107, 8_192],
    [62_259, 65_535],
    [1, 40_000],
  ] as const) {
    // biome-ignore format: one line
    const shares = paymentShares({ ownerParts: owner, validatorParts: BigInt(validators) });
    const { ownerWei, rewardWei, treasuryWei } = drawShares(wei, 1, {
      ownerParts: BigInt(owner),
      validatorParts: BigInt(validators),
    });
    const validatorWei = (rewardWei * BigInt(validators)) >> 16n;
    const paid = [rewardWei - validatorWei, validatorWei, ownerWei, treasuryWei];
    for (const [i, { share }] of shares.entries())
      expect(Math.abs(Number.parseFloat(share) - Number((paid[i]! * 100_000n) / wei) / 1_000)).toBeLessThan(
        0.06,
      );
  }
});

it("says of fewer than 16 draws that they are a demonstration", () => {
  expect(MIN_DRAWS).toBe(16);
  expect([fewDraws(16), fewDraws(128)]).toEqual([null, null]);
  expect(fewDraws(2)).toMatch(/^2 draws an epoch are a demonstration: .* 16 or more/);
});
