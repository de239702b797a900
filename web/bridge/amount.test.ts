import { describe, expect, it } from "vitest";
import { readAmount } from "./amount.ts";

const OPEN = 10n ** 18n;
const limits = { minWei: OPEN, minWhy: "so says the contract", maxWei: 10n * OPEN, maxWhy: "that is all" };

describe("an amount as it is typed", () => {
  it("is nothing yet, and no mistake, while nothing is typed", () => {
    expect(readAmount("  ", limits)).toEqual({ wei: null, problem: null });
  });
  it("is exact", () => {
    expect(readAmount("9.999999999999999999", limits)).toEqual({ wei: 10n * OPEN - 1n, problem: null });
  });
  it.each(["-1", "1e3", "1,5", "0x10", "1.0000000000000000001", "١"])("refuses %s as no number", (text) => {
    const { wei, problem } = readAmount(text, limits);
    expect([wei, problem]).toEqual([null, expect.stringContaining("12.5")]);
  });
  it("says which bound it is beyond, and why", () => {
    expect(readAmount("0.5", limits).problem).toBe("At least 1 OPEN: so says the contract.");
    expect(readAmount("11", limits).problem).toBe("At most 10 OPEN: that is all.");
    expect(readAmount("0", { maxWei: OPEN, maxWhy: "" }).problem).toContain("more than 0");
    expect(readAmount("1", { maxWei: -5n, maxWhy: "that is all" }).problem).toContain("not have enough");
  });
});
