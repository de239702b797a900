/** Tests of the devnet's plan of transfers and of the balances that follow from it. */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { describe, expect, it } from "vitest";
import {
  COMMITS_EACH,
  CONTRIBUTORS,
  DEPOSITS,
  FIRST_TRANSFER_COUNT,
  LATER_TRANSFER_COUNT,
  PEOPLE,
  PRICE_WEI,
  TRADERS,
} from "./config.ts";
import { type EpochOutcome, expectedBalances } from "./steps/expected.ts";
import { planTransfer } from "./steps/transfer.ts";

const planned = Array.from({ length: FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT }, (_, i) =>
  planTransfer(i),
);

describe("planTransfer", () => {
  it("plans at least forty transfers, never to oneself, each of an amount that a record holds exactly", () => {
    expect(planned.length).toBeGreaterThanOrEqual(40);
    for (const { from, to, amountWei } of planned) {
      expect(from).not.toBe(to);
      expect(() => encodeAmount(amountWei)).not.toThrow();
      expect(amountWei).toBeGreaterThan(0n);
    }
  });

  it("has every trader pay and be paid", () => {
    for (const name of TRADERS) {
      expect(planned.some(({ from }) => from === name)).toBe(true);
      expect(planned.some(({ to }) => to === name)).toBe(true);
    }
  });
});

describe("expectedBalances", () => {
  const paymentCount = 24;
  const outcome: EpochOutcome = {
    paymentCount,
    ownerWei: 2n * 10n ** 18n,
    treasuryWei: 10n ** 18n,
    payees: [
      { contributor: "bob", validator: "vera", earnedWei: 5n * 10n ** 18n + 1n },
      { contributor: "carol", validator: "walt", earnedWei: 3n * 10n ** 18n + 7n },
      { contributor: "dave", validator: "walt", earnedWei: 10n ** 18n - 8n },
    ],
  };
  const speeches: EpochOutcome = {
    paymentCount: 10,
    ownerWei: 10n ** 18n,
    treasuryWei: 25n * 10n ** 16n,
    payees: [{ contributor: "carol", validator: "walt", earnedWei: 375n * 10n ** 16n }],
  };
  const outcomes = { mails: outcome, speeches };
  const { ledgerWei, l1Wei, rewardsWei } = expectedBalances(10n ** 18n, outcomes, (name) =>
    name === "mails" ? COMMITS_EACH : 1,
  );
  const sum = (values: readonly bigint[]) => values.reduce((total, wei) => total + wei, 0n);

  it("loses nothing but what is burned, an id fee for each of twelve leaves and the forced one, and what walt has not claimed", () => {
    const funded = sum(PEOPLE.map((name) => DEPOSITS[name].fundedWei));
    const held = sum([...Object.values(ledgerWei), ...Object.values(l1Wei)]);
    // 12 and 5 OPEN are paid, and divided without a rest.
    expect(PRICE_WEI * BigInt(paymentCount + speeches.paymentCount)).toBe(17n * 10n ** 18n);
    const payees = [...outcome.payees, ...speeches.payees];
    const unclaimed = sum(payees.map(({ earnedWei }) => earnedWei)) - sum(Object.values(rewardsWei));
    expect(unclaimed).toBeGreaterThan(0n);
    expect(funded - held).toBe(7n * 10n ** 18n + unclaimed);
  });

  it("leaves nobody in debt", () => {
    for (const wei of Object.values(ledgerWei)) expect(wei).toBeGreaterThan(0n);
    expect(CONTRIBUTORS.length).toBe(3);
  });
});
