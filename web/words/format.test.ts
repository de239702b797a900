import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { describe, expect, it } from "vitest";
import { showAge, showCounted, showDuration, showOpen, showParts, showTotal } from "./format.ts";

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

it.each([
  [0, "0 rows"],
  [1, "1 row"],
  [1_200, "1,200 rows"],
])("%i of something: %s", (count, text) => {
  expect(showCounted(count, "row")).toBe(text);
});

it("a search's rows are shown with a plus where they are not all counted", () => {
  expect(showTotal({ total: 1, isTotalExact: true })).toBe("1 row");
  expect(showTotal({ total: 10_000, isTotalExact: false })).toBe("10,000+ rows");
});

describe("parts as they are shown", () => {
  it.each([
    // Parts of a settlement of 12 OPEN: nothing of the sum is lost, and dust is not blown up.
    [
      [8_999_999_999_999_999_994n, 2_399_999_999_999_999_998n, 600_000_000_000_000_007n, 1n],
      "12",
      "9 2.4 0.6 <0.0001",
    ],
    [[parseOpen("1") / 3n, parseOpen("1") / 3n, parseOpen("1") / 3n + 1n], "1", "0.3333 0.3333 0.3334"],
    // Small sums have digits of their own.
    [[400_000_000_000n, 800_000_000_000n], "0.0000012", "0.0000004 0.0000008"],
    [[0n, 5n], "0.000000000000000005", "0 0.000000000000000005"],
    [[0n, 0n], "0", "0 0"],
    [[], "0", ""],
  ])("%s wei: %s is %s", (amounts, sum, parts) => {
    const shown = showParts(amounts);
    expect([shown.sum, shown.parts.join(" ")]).toEqual([sum, parts]);
  });

  it("add up, whatever the amounts are", () => {
    for (let seed = 1; seed < 400; seed++) {
      const amounts = Array.from({ length: 1 + (seed % 9) }, (_, i) => BigInt(seed) * 7919n ** BigInt(i % 6));
      const { sum, parts } = showParts(amounts);
      const exact = (text: string) => (text.startsWith("<") ? 0n : parseOpen(text.replaceAll(",", "")));
      expect(parts.reduce((total, part) => total + exact(part), 0n)).toBe(exact(sum));
    }
  });
});

it("parts that are divided further add up to what is shown of them", () => {
  for (let seed = 1; seed < 200; seed++) {
    const cards = [0, 1, 2].map((i) =>
      [7n, 11n, 13n].map((one) => one ** BigInt(i + 1) * BigInt(seed) * 10n ** 14n + one),
    );
    const sums = cards.map((card) => card.reduce((total, wei) => total + wei, 0n));
    const all = showParts(sums);
    for (const [i, card] of cards.entries()) {
      const shown = showParts(card, all.wholes[i]);
      expect(shown.sum).toBe(all.parts[i]);
      const total = shown.parts.reduce((left, part) => left + parseOpen(part.replaceAll(",", "")), 0n);
      expect(total).toBe(parseOpen(shown.sum.replaceAll(",", "")));
    }
  }
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
