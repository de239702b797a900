import { MAX_AMOUNT_WEI } from "@openledger/circuits/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatOpen, parseOpen } from "./open-amount.ts";

describe("parseOpen", () => {
  it.each([
    ["1", 10n ** 18n],
    ["12.5", 125n * 10n ** 17n],
    ["0.000000000000000001", 1n],
    ["3 OPEN", 3n * 10n ** 18n],
    ["1000wei", 1000n],
    [" 7 wei ", 7n],
    ["0", 0n],
  ])("reads %j", (text, wei) => {
    expect(parseOpen(text)).toBe(wei);
  });

  it.each([
    "",
    "-1",
    "1e18",
    "0x10",
    "1.",
    ".5",
    "1.0000000000000000001",
    "1,5",
    "1.5wei",
    "NaN",
    `${2n ** 96n}wei`,
  ])("refuses %j", (text) => {
    expect(() => parseOpen(text)).toThrow(expect.objectContaining({ code: "CLI_AMOUNT_INVALID" }));
  });

  it("reads back what formatOpen writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT_WEI }), (wei) => {
        expect(parseOpen(formatOpen(wei))).toBe(wei);
        expect(parseOpen(`${wei}wei`)).toBe(wei);
      }),
    );
  });
});
