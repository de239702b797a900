import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { expect, it } from "vitest";
import type { TestReport } from "./verdict.ts";

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
  const setup = join(repositoryRoot, "scripts/testing/each-file.ts");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(
    join(folder, "vitest.config.mjs"),
    `export default { test: { globals: true, maxWorkers: 1, setupFiles: ["${setup}"] } };`,
  );
  const reporter = `--reporter=${join(repositoryRoot, "scripts/testing/reporter.ts")}`;
  const vitest = join(repositoryRoot, "node_modules/vitest/vitest.mjs");
  const env = { ...process.env, TEST_REPORT: report };
  try {
    await new Promise<void>((resolve) => {
      execFile(process.execPath, [vitest, "run", reporter], { cwd: folder, env }, () => resolve());
    });
    const { files: results, outside } = JSON.parse(readFileSync(report, "utf8")) as TestReport;
    expect(outside).toEqual([]);
    expect(results.every(({ durationMs }) => Number.isInteger(durationMs))).toBe(true);
    const { cpuSeconds } = results.find(({ name }) => name === "good.test.ts")!;
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(cpuSeconds).toBeLessThan(60);
    expect(
      Object.fromEntries(
        results.map(({ cpuSeconds: _, durationMs: __, failure, name, ...counts }) => [
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
