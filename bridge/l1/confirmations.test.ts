import { expect, test } from "vitest";
import { defaultConfirmations, isOldHead, StalledHead } from "./confirmations.ts";

test("says once of each block that none has come after it for a minute", () => {
  const warnings: string[] = [];
  let nowMs = 0;
  const head = new StalledHead(
    (text) => warnings.push(text),
    () => nowMs,
  );
  const lookAt = (block: bigint, atMs: number) => {
    nowMs = atMs;
    head.look(block);
  };
  lookAt(7n, 0);
  lookAt(7n, 59_999);
  lookAt(8n, 60_001);
  expect(warnings).toEqual([]);
  lookAt(8n, 120_001);
  lookAt(8n, 200_000);
  expect(warnings).toEqual([expect.stringContaining("block 8 has been the newest for 60 s")]);
  lookAt(9n, 200_001);
  lookAt(9n, 260_001);
  expect(warnings).toHaveLength(2);
});

test("takes the first block for enough on the development chain alone", () => {
  expect([31_337, 1, 1_337].map(defaultConfirmations)).toEqual([1, 3, 3]);
});

test("calls a newest block old after ten minutes, and never on the development chain", () => {
  const minedAt = 1_000_000;
  const at = (seconds: number) => (minedAt + seconds) * 1_000;
  expect([599, 600, 601].map((age) => isOldHead(1, minedAt, at(age)))).toEqual([false, false, true]);
  expect(isOldHead(31_337, minedAt, at(1e6))).toBe(false);
});
