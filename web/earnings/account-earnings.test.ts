import { quantumBitsOf } from "@openledger/circuits/settlement/settlement-split";
import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateWei } from "./account-earnings.ts";

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
