import { describe, expect, it } from "vitest";
import { encodeAmount } from "../../circuits/amount-float.ts";
import { CONTRIBUTORS, DEPOSITS, FIRST_TRANSFER_COUNT, LATER_TRANSFER_COUNT, PEOPLE } from "./config.ts";
import { expectedBalances } from "./steps/expected.ts";
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

  it("has everybody pay and be paid", () => {
    for (const name of PEOPLE) {
      expect(planned.some(({ from }) => from === name)).toBe(true);
      expect(planned.some(({ to }) => to === name)).toBe(true);
    }
  });
});

describe("expectedBalances", () => {
  const { ledgerWei, l1Wei } = expectedBalances(10n ** 18n);

  it("loses nothing but what is burned: the id fee and the forced withdrawal's fee", () => {
    const funded = PEOPLE.reduce((sum, name) => sum + DEPOSITS[name].fundedWei, 0n);
    const held = [...Object.values(ledgerWei), ...Object.values(l1Wei)].reduce((sum, wei) => sum + wei, 0n);
    expect(funded - held).toBe(5n * 10n ** 17n + 10n ** 18n);
  });

  it("leaves nobody in debt", () => {
    for (const wei of Object.values(ledgerWei)) expect(wei).toBeGreaterThan(0n);
    expect(CONTRIBUTORS.length).toBe(3);
  });
});
