import { expect, it } from "vitest";
import { type FileResult, judge, slowest, type TestReport } from "./verdict.ts";

const passed = (name: string, passedCount = 2): FileResult => ({
  ...{ name, passedCount, failedCount: 0, skippedCount: 1 },
  ...{ failure: null, durationMs: 1, cpuSeconds: 0.5 },
});
const failed = (name: string): FileResult => ({
  ...{ name, passedCount: 1, failedCount: 1, skippedCount: 1 },
  ...{ failure: "waits: 1 is not 2", durationMs: 1, cpuSeconds: 0.5 },
});
const reportOf = (...files: FileResult[]): TestReport => ({ files, outside: [] });

it("the verdict counts what passed, failed and was skipped, and each file that failed outside of its tests", () => {
  const broken = { ...passed("b", 0), failure: "no such module" };
  const report = { ...reportOf(passed("a"), broken, failed("c")), outside: ["a worker died"] };
  expect(judge(report)).toEqual({ passedCount: 3, failedCount: 3, skippedCount: 3 });
});

it("the slowest files are named with their seconds", () => {
  const report = reportOf(
    { ...passed("a"), durationMs: 1_400 },
    { ...passed("b"), durationMs: 61_000 },
    passed("c"),
  );
  expect(slowest(report, 2)).toEqual(["61 s b", "1 s a"]);
});
