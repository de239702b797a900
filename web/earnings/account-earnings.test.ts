import { quantumBitsOf } from "@openledger/circuits/settlement/settlement-split";
import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateWei, settledEpochs } from "./account-earnings.ts";

const PARTS = 65_536;
const TREASURY_PARTS = 3_277;

test("estimates of an epoch never add up to more than what its rows can earn, and miss it by dust alone", () => {
  const rows = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 16 });
  const owner = fc.integer({ min: 0, max: PARTS - TREASURY_PARTS });
  const validator = fc.integer({ min: 0, max: PARTS });
  fc.assert(
    fc.property(
      rows,
      owner,
      validator,
      fc.bigInt(0n, 10n ** 24n),
      (counts, ownerParts, validatorParts, wei) => {
        const payees = counts.map((rowCount) => ({ rowCount })) as Parameters<
          typeof estimateWei
        >[1]["payees"];
        const terms = { model: { drawCount: 8, ownerParts, validatorParts }, payees };
        const estimates = counts.flatMap((rowCount) =>
          (["contributor", "validator"] as const).map((role) => estimateWei({ role, rowCount }, terms, wei)),
        );
        const sum = estimates.reduce((total, one) => total + one, 0n);
        const exact = (wei * BigInt(PARTS - TREASURY_PARTS - ownerParts)) / BigInt(PARTS);
        // Up to a quantum of each rounding, in each draw and each payee.
        const dust = 1n << quantumBitsOf(wei);
        expect(sum <= exact + 32n * dust && sum >= exact - 64n * dust).toBe(true);
      },
    ),
  );
});

test("takes settlements that the sequencer has pruned for earned, and not for claimed", () => {
  // Three epochs of 100 wei each; the first was claimed, and is pruned.
  const reward = { claimedWei: 100n, role: "contributor", payeeIndex: 0 } as const;
  const leaf = { model: { validatorParts: 0 }, payees: [{ index: 0, accruedWei: 300n }] } as never;
  const settled = (epoch: number) => ({
    ...({ kind: "settle", status: "final" } as const),
    ...{ epoch, earnedWei: [100n] },
  });
  const shown = (epochs: readonly number[]) =>
    settledEpochs(reward, leaf, epochs.map(settled)).map(({ epoch, isRewardClaimed, wei }) => [
      epoch,
      wei,
      isRewardClaimed,
    ]);
  expect(shown([3, 2, 1])).toEqual([
    [3, 100n, false],
    [2, 100n, false],
    [1, 100n, true],
  ]);
  expect(shown([3, 2])).toEqual([
    [3, 100n, false],
    [2, 100n, false],
  ]);
});
