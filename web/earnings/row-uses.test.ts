/** Test of the sums of the earnings page's list of rows. */
import { expect, it } from "vitest";
import { type RowUse, settledWei } from "./row-uses.ts";
import { shownOf } from "./shown-uses.ts";

const payee = (contributorId: number, validatorId: number) => ({ contributorId, validatorId }) as never;
const model = { validatorParts: 8_192 } as never;

it("sums what a settlement gave an account in all roles, of all rows", () => {
  const payees = [payee(5, 8), payee(5, 5), payee(7, 5), payee(7, 8)];
  const earned = [1_000n, 800n, 80n, 9n];
  // 7/8 of the first as contributor, all of the second, 1/8 of the third as validator.
  expect(settledWei({ model, payees }, 5, earned)).toBe(875n + 800n + 10n);
  expect(settledWei({ model, payees }, 9, earned)).toBe(0n);
  expect(settledWei({ model, payees }, 5, [])).toBe(0n);
});

it("shows the first uses, and what the others got: together the sum", () => {
  const uses = Array.from({ length: 47 }, (_, row) => ({ row, wei: BigInt(100 - row) }) as RowUse);
  const sumWei = 5_000n;
  const { otherCount, otherWei, shown } = shownOf({ sumWei, uses }, 20);
  expect([shown.length, otherCount]).toEqual([20, 27]);
  expect(shown.reduce((sum, { wei }) => sum + wei, 0n) + otherWei).toBe(sumWei);
  // The file has all uses, and what older payments gave besides.
  const all = uses.reduce((sum, { wei }) => sum + wei, 0n);
  expect(shownOf({ sumWei, uses }, uses.length)).toMatchObject({ otherCount: 0, otherWei: sumWei - all });
  expect(shownOf({ sumWei: all, uses }, uses.length).otherWei).toBe(0n);
});
