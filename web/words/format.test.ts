import { describe, expect, it } from "vitest";
import { showAge, showDuration, showOpen } from "./format.ts";

describe("amounts as they are shown", () => {
  it.each([
    [0n, "0"],
    [10n ** 18n, "1"],
    [1_234_567n * 10n ** 18n + 5n * 10n ** 17n, "1,234,567.5"],
    [10n ** 14n, "0.0001"],
    // Never more than there is.
    [199_999n * 10n ** 13n, "1.9999"],
    [1n, "<0.0001"],
    [2n ** 96n - 1n, "79,228,162,514.2643"],
  ])("%s wei: %s", (wei, text) => {
    expect(showOpen(wei)).toBe(text);
  });
});

describe("times as they are shown", () => {
  it.each([
    [0, "1 ms"],
    [420, "420 ms"],
    [1_400, "1 s"],
    [59_400, "59 s"],
    [95_000, "1 min 35 s"],
    [120_000, "2 min"],
    [1_500_000, "25 min"],
    [3_600_000, "1 h"],
    [9_000_000, "2 h 30 min"],
    [300_000_000, "3 days"],
  ])("%s ms: %s", (ms, text) => {
    expect(showDuration(ms)).toBe(text);
  });

  it("calls the last two seconds now", () => {
    expect([showAge(1_000, 2_500), showAge(1_000, 61_000)]).toEqual(["just now", "1 min ago"]);
  });
});
