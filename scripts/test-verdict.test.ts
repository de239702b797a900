import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../circuits/compiler/compile.ts";
import { LONGEST } from "./test-order.ts";
import { type FileResult, judge, slowest, type TestReport } from "./test-verdict.ts";

const passed = (name: string, passedCount = 2): FileResult => ({
  ...{ name, passedCount, failedCount: 0, skippedCount: 1 },
  failure: null,
  durationMs: 1,
});
const failed = (name: string): FileResult => ({
  ...{ name, passedCount: 1, failedCount: 1, skippedCount: 1 },
  failure: "waits: 1 is not 2",
  durationMs: 1,
});
const reportOf = (...files: FileResult[]): TestReport => ({ files, outside: [] });

describe("the verdict on a run", () => {
  it("counts what passed, failed and was skipped, and each file that failed outside of its tests", () => {
    const broken = { ...passed("b", 0), failure: "no such module" };
    const report = { ...reportOf(passed("a"), broken, failed("c")), outside: ["a worker died"] };
    expect(judge(report, [])).toEqual({ passedCount: 3, failedCount: 3, skippedCount: 3, unstable: [] });
  });

  it("names files that pass alone, with their first failure, and forgives two", () => {
    const first = reportOf(passed("a"), failed("b"), failed("c"));
    const verdict = judge(first, [passed("b"), passed("c")]);
    expect(verdict).toEqual({
      passedCount: 6,
      failedCount: 0,
      skippedCount: 3,
      unstable: first.files.slice(1),
    });
  });

  it("forgives neither of three, and none where none may be", () => {
    const names = ["b", "c", "d"];
    const three = judge(
      reportOf(...names.map(failed)),
      names.map((name) => passed(name)),
    );
    expect([three.passedCount, three.failedCount, three.unstable.length]).toEqual([3, 3, 3]);
    const strict = judge(reportOf(failed("b")), [passed("b")], 0);
    expect([strict.passedCount, strict.failedCount, strict.unstable.length]).toEqual([1, 1, 1]);
  });

  it("calls nothing unstable that fails alone, too, or was not run alone", () => {
    const verdict = judge(reportOf(failed("b"), failed("c")), [failed("b")]);
    expect(verdict).toMatchObject({ failedCount: 2, unstable: [] });
  });
});

it("the slowest files are named with their seconds, and those that begin first are there", () => {
  const report = reportOf(
    { ...passed("a"), durationMs: 1_400 },
    { ...passed("b"), durationMs: 61_000 },
    passed("c"),
  );
  expect(slowest(report, 2)).toEqual(["61 s b", "1 s a"]);
  expect(LONGEST.filter((name) => !existsSync(join(repositoryRoot, name)))).toEqual([]);
});

it("the reporter tells of every file what failed first, also outside of its tests", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reporter-"));
  const report = join(folder, "report.json");
  const files = {
    "good.test.ts": `it("adds", () => {}); it.skip("waits", () => {});`,
    "bad.test.ts": `describe("sums", () => { it("adds", () => { throw new Error("1 is not 2\\nat all"); }); });`,
    "hook.test.ts": `beforeAll(() => { throw new Error("no world"); }); it("adds", () => {});`,
    "late.test.ts": `it("adds", async () => { void Promise.reject(new Error("nobody waits")); await 0; });`,
    "none.test.ts": `throw new Error("no such module");`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(
    join(folder, "vitest.config.mjs"),
    `export default { test: { globals: true, maxWorkers: 1 } };`,
  );
  const reporter = `--reporter=${join(repositoryRoot, "scripts/test-reporter.ts")}`;
  const vitest = join(repositoryRoot, "node_modules/vitest/vitest.mjs");
  const env = { ...process.env, TEST_REPORT: report };
  try {
    await new Promise<void>((resolve) => {
      execFile(process.execPath, [vitest, "run", reporter], { cwd: folder, env }, () => resolve());
    });
    const { files: results, outside } = JSON.parse(readFileSync(report, "utf8")) as TestReport;
    expect(outside).toEqual([]);
    expect(results.every(({ durationMs }) => Number.isInteger(durationMs))).toBe(true);
    expect(
      Object.fromEntries(
        results.map(({ durationMs: _, failure, name, ...counts }) => [
          name,
          [Object.values(counts), failure],
        ]),
      ),
    ).toEqual({
      "bad.test.ts": [[0, 1, 0], "sums > adds: 1 is not 2"],
      "good.test.ts": [[1, 0, 1], null],
      "hook.test.ts": [[0, 0, 1], "no world"],
      "late.test.ts": [[1, 0, 0], "nobody waits"],
      "none.test.ts": [[0, 0, 0], "no such module"],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
