import { describe, expect, test } from "vitest";
import { classifyRefusal, dropReason } from "./publish-refusal.ts";

const badProof = { errorName: "VerifierProofRejected", operands: [] };
const badTime = (timestamp: bigint) => ({
  errorName: "RollupTimestampInvalid",
  operands: [timestamp, 100n, 200n],
});

describe("classifyRefusal", () => {
  test.each([
    ["superseded", badProof, 5],
    ["superseded", badTime(1n), 7],
    ["behind", badProof, 3],
    ["stale", badTime(99n), 4],
    ["early", badTime(201n), 4],
    ["overdue", { errorName: "RollupOverdueEntryLeft", operands: [7n, 0n] }, 4],
    ["refused", badProof, 4],
    ["refused", { errorName: null, operands: [] }, 4],
  ] as const)("says %s", (expected, revert, l1BatchNumber) => {
    expect(classifyRefusal(revert, l1BatchNumber, 5)).toBe(expected);
  });
});

describe("dropReason", () => {
  test("asks to close the batch again only where the time or the order is the reason", () => {
    const reasons = (["stale", "overdue", "superseded", "refused", "early", "behind", null] as const).map(
      dropReason,
    );
    expect(reasons).toEqual([
      "stale-timestamp",
      "queue-overdue",
      "superseded",
      "refused",
      "reorganised",
      "reorganised",
      "reorganised",
    ]);
  });
});
