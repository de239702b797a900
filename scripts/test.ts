/**
 * `npm test`: style, types and import directions beside every test. Files that failed are run once more, alone: those that pass
 * then are named as unstable. Prints one closing line that counts all tests. `--strict` forgives no unstable file.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type FileResult, judge, MAX_UNSTABLE_FILES, slowest, type TestReport } from "./test-verdict.ts";

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Step[] = [
  { name: "style", command: "biome", args: ["check", "."] },
  { name: "types", command: "tsc", args: ["--noEmit"] },
  { name: "types of pages", command: "tsc", args: ["--noEmit", "-p", "web"] },
  { name: "imports", command: "depcruise", args: ["--config", ".dependency-cruiser.cjs", "."] },
];
/** Where more files fail, the code is wrong, and running them again would only take time. */
const MAX_FILES_AGAIN = 6;
const NAMED_SLOWEST = 12;

const folder = await mkdtemp(join(tmpdir(), "openledger-test-"));
const reportPath = join(folder, "report.json");

function run(step: Step, stdio: "inherit" | "pipe" = "inherit"): Promise<{ code: number; output: string }> {
  return new Promise((settle, reject) => {
    const child = spawn(join("node_modules", ".bin", step.command), step.args, {
      stdio: ["inherit", stdio, stdio],
      env: { ...process.env, TEST_REPORT: reportPath },
    });
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part: Buffer) => parts.push(part));
    child.on("error", reject);
    child.on("close", (code) => settle({ code: code ?? 1, output: Buffer.concat(parts).toString() }));
  });
}

/** One after another, since each takes a core. What they say is printed whole: the tests print meanwhile. @returns which failed */
async function check(): Promise<string[]> {
  const failed: string[] = [];
  for (const step of CHECKS) {
    const startedAtMs = Date.now();
    const { code, output } = await run(step, "pipe");
    const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`${output}${step.name}: ${code === 0 ? "ok" : "FAILED"} in ${seconds} s`);
    if (code !== 0) failed.push(step.name);
  }
  return failed;
}

async function test(...args: string[]): Promise<{ report: TestReport; isGood: boolean }> {
  await rm(reportPath, { force: true });
  const reporters = ["--reporter=default", "--reporter=./scripts/test-reporter.ts"];
  const { code } = await run({ name: "tests", command: "vitest", args: ["run", ...reporters, ...args] });
  return { report: JSON.parse(await readFile(reportPath, "utf8")) as TestReport, isGood: code === 0 };
}

const args = process.argv.slice(2);
const forgivenCount = args.includes("--strict") ? 0 : MAX_UNSTABLE_FILES;
try {
  const [failedChecks, { isGood, report }] = await Promise.all([
    check(),
    test(...args.filter((word) => word !== "--strict")),
  ]);
  const failed = report.files.filter(({ failure }) => failure !== null);
  const alone: FileResult[] = [];
  for (const { name } of failed.length > MAX_FILES_AGAIN ? [] : failed) {
    console.log(`once more, alone: ${name}`);
    const again = await test(resolve(name));
    if (again.isGood) alone.push(...again.report.files);
  }
  console.log(`slowest: ${slowest(report, NAMED_SLOWEST).join(", ")}`);
  const { unstable, ...counts } = judge(report, alone, forgivenCount);
  for (const { failure, name } of unstable) console.log(`unstable: ${name}: ${failure}`);
  if (unstable.length > 0) console.log(`${unstable.length} unstable, at most ${forgivenCount} forgiven`);
  if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(", ")}`);
  const failedCount = counts.failedCount + failedChecks.length;
  console.log(
    `${counts.passedCount + CHECKS.length - failedChecks.length} passed, ${failedCount} failed, ${counts.skippedCount} skipped`,
  );
  // Vitest may end with an error that it names nowhere, as where it found no test.
  process.exitCode = failedCount === 0 && (isGood || failed.length > 0) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
