/** `npm test`: style, types, import directions, then every test. Prints one closing line that counts them all. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

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

function run(step: Step): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(join("node_modules", ".bin", step.command), step.args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

const folder = await mkdtemp(join(tmpdir(), "openledger-test-"));
const reportFile = join(folder, "report.json");
let failedChecks = 0;
try {
  for (const step of CHECKS) {
    const startedAtMs = Date.now();
    const code = await run(step);
    console.log(
      `${step.name}: ${code === 0 ? "ok" : "FAILED"} in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`,
    );
    if (code !== 0) failedChecks += 1;
  }
  const code = await run({
    name: "tests",
    command: "vitest",
    args: [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...process.argv.slice(2),
    ],
  });
  const report = JSON.parse(await readFile(reportFile, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numFailedTestSuites: number;
    numPendingTests: number;
  };
  // A file that fails before its first test counts as one failure more.
  const failed =
    report.numFailedTests + (report.numFailedTests === 0 ? report.numFailedTestSuites : 0) + failedChecks;
  const passed = report.numPassedTests + CHECKS.length - failedChecks;
  console.log(`${passed} passed, ${failed} failed, ${report.numPendingTests} skipped`);
  process.exitCode = failed === 0 && code === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
