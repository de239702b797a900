import { expect, test } from "vitest";
import { RevertPatience } from "./revert-patience.ts";

const reverted = { gasUsed: 400_000n, gasLimit: 1_000_000n, maxGasLimit: 2n ** 24n };

test("waits longer with each unexplained revert, never for good, and not any more after a success", () => {
  const patience = new RevertPatience();
  const waits = Array.from({ length: 9 }, () => {
    patience.noteRevert(reverted, 1_000);
    return patience.waitMs(1_000);
  });
  expect(waits).toEqual([0, 0, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000, 600_000]);
  expect(patience.waitMs(601_000)).toBe(0);
  patience.noteSuccess();
  expect(patience.noteRevert(reverted, 1_000)).toBe("unexplained");
});

test("gives more gas to what ran out of it, and counts it only where there is no more to give", () => {
  const patience = new RevertPatience();
  const short = { ...reverted, gasUsed: 990_000n };
  for (let i = 1; i <= 10; i++) {
    expect(patience.noteRevert(short, 0)).toBe("out-of-gas");
    expect([patience.gasDoublings, patience.waitMs(0)]).toEqual([i, 0]);
  }
  const all = { gasUsed: 2n ** 24n, gasLimit: 2n ** 24n, maxGasLimit: 2n ** 24n };
  expect([1, 2, 3].map(() => patience.noteRevert(all, 0))).toEqual(["unexplained", "unexplained", "waits"]);
  patience.noteSuccess();
  expect(patience.gasDoublings).toBe(0);
});
