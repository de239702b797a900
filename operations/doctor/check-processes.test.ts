import { expect, test } from "vitest";
import { blobGap } from "./check-processes.ts";

const NOW_MS = 1_800_000_000_000;
const daysAgo = (days: number) => ({ blobs: { missing: 2, oldestMissingAtMs: NOW_MS - 86_400_000 * days } });

test("doctor names a gap among the blobs once it is a week old", () => {
  for (const health of [{}, { status: "ok", blobs: { missing: 0, oldestMissingAtMs: null } }, daysAgo(6.9)])
    expect(blobGap(health, NOW_MS)).toBeNull();
  expect(blobGap(daysAgo(7), NOW_MS)).toBe(
    "2 blobs are not in it, the oldest of 7 days ago; Ethereum keeps them for 18",
  );
});
