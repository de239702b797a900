/** Vitest's own report of files that fail in every way, as `npm test` counts it. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { expect, it } from "vitest";
import { countTests, type VitestJson } from "./counts.ts";

const GOOD = `it("adds", () => {}); it.skip("waits", () => {});`;

it.each([
  ["a good file", { "good.test.ts": GOOD }, { passed: 1, failed: 0, skipped: 1 }],
  [
    "a test that fails",
    { "good.test.ts": GOOD, "bad.test.ts": `it("adds", () => { throw new Error("1 is not 2"); });` },
    { passed: 1, failed: 1, skipped: 1 },
  ],
  [
    "a hook that fails",
    { "hook.test.ts": `beforeAll(() => { throw new Error("no world"); }); it("adds", () => {});` },
    { passed: 0, failed: 1, skipped: 1 },
  ],
  [
    "a rejection that no one awaits",
    { "late.test.ts": `it("adds", async () => { void Promise.reject(new Error("late")); await 0; });` },
    { passed: 1, failed: 1, skipped: 0 },
  ],
  [
    "a file that does not load",
    { "none.test.ts": `throw new Error("no such module");` },
    { passed: 0, failed: 1, skipped: 0 },
  ],
  ["no file at all", {}, { passed: 0, failed: 1, skipped: 0 }],
])("counts %s", async (_, files, counts) => {
  const folder = mkdtempSync(join(tmpdir(), "counts-"));
  const report = join(folder, "report.json");
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    writeFileSync(
      join(folder, "vitest.config.mjs"),
      "export default { test: { globals: true, maxWorkers: 1 } };",
    );
    const args = ["run", "--reporter=json", `--outputFile=${report}`];
    const vitest = join(repositoryRoot, "node_modules/vitest/vitest.mjs");
    const isGood = await new Promise<boolean>((settle) => {
      execFile(process.execPath, [vitest, ...args], { cwd: folder }, (error) => settle(error === null));
    });
    expect(countTests(JSON.parse(readFileSync(report, "utf8")) as VitestJson, isGood)).toEqual(counts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
