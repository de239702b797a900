/**
 * `npm test`: style, types and import directions beside the core tests (`*.test.ts`). `npm run test:all` runs the tests of
 * `*.all.test.ts` as well, the core's random tries whole, and compiles what is prebuilt again. Prints one closing line that
 * counts all tests.
 *
 * - `--changed [COMMIT]`: the core, and of the others those that reach what changed since the commit, or since the last one
 * - `--shard 1/4`: of files that take about a quarter of the time; the first shard checks style, types and imports
 * - `--write-times`: what each file took goes into `scripts/testing/times.json`
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Tier, tierOf } from "./house/tiers.ts";
import { isTest, readTree } from "./house/tree.ts";
import { relatedToChange } from "./testing/related.ts";
import { countMore, readTimes, withReport, writeTimes } from "./testing/times.ts";
import { judge, slowest, type TestReport } from "./testing/verdict.ts";

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Step[] = [
  { name: "style", command: "biome", args: ["check", "."] },
  // One thread: several would each work out the same types.
  { name: "types", command: "tsgo", args: ["--noEmit", "--singleThreaded"] },
  { name: "types of pages", command: "tsgo", args: ["--noEmit", "--singleThreaded", "-p", "web"] },
  { name: "imports", command: "depcruise", args: ["--config", ".dependency-cruiser.cjs", "."] },
];
/** What nobody has to trust, because everything is compiled again here and compared. */
const PREBUILT: Step = { name: "prebuilt", command: "tsx", args: ["scripts/prebuild.ts", "--check"] };
/** Where more files fail, the code is wrong, and running them again would only take time. */
const MAX_FILES_AGAIN = 6;
const NAMED_SLOWEST = 12;

const folder = await mkdtemp(join(tmpdir(), "openledger-test-"));
const reportPath = join(folder, "report.json");

/** Takes the word out of `args`. @returns whether it was there */
function take(args: string[], word: string): boolean {
  const at = args.indexOf(word);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}

const args = process.argv.slice(2);
const tier: Tier = take(args, "--all") ? "all" : "core";
const writesTimes = take(args, "--write-times");
const shard = args.find((word, i) => word.startsWith("--shard=") || args[i - 1] === "--shard");
const isFirstShard = shard === undefined || /^(--shard=)?1\//.test(shard);
const checks = isFirstShard ? [...CHECKS, ...(tier === "all" ? [PREBUILT] : [])] : [];

function run(
  step: Step,
  { stdio = "inherit", without = [] }: { stdio?: "inherit" | "pipe"; without?: readonly string[] } = {},
): Promise<{ code: number; output: string }> {
  return new Promise((settle, reject) => {
    const env: NodeJS.ProcessEnv = { ...process.env, TEST_REPORT: reportPath, TEST_TIER: tier };
    if (without.length > 0) env.TEST_LEFT_OUT = without.join("\n");
    const child = spawn(join("node_modules", ".bin", step.command), step.args, {
      stdio: ["inherit", stdio, stdio],
      env,
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
  for (const step of checks) {
    const startedAtMs = Date.now();
    const { code, output } = await run(step, { stdio: "pipe" });
    const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`${output}${step.name}: ${code === 0 ? "ok" : "FAILED"} in ${seconds} s`);
    if (code !== 0) failed.push(step.name);
  }
  return failed;
}

async function test(
  words: readonly string[],
  without: readonly string[] = [],
): Promise<{ report: TestReport; isGood: boolean }> {
  await rm(reportPath, { force: true });
  const reporters = ["--reporter=default", "--reporter=./scripts/testing/reporter.ts"];
  const step: Step = { name: "tests", command: "vitest", args: ["run", ...reporters, ...words] };
  const { code } = await run(step, { without });
  return { report: JSON.parse(await readFile(reportPath, "utf8")) as TestReport, isGood: code === 0 };
}

const git = (...words: string[]) =>
  execFileSync("git", words, { encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\n")
    .filter(Boolean);

/** Takes `--changed [COMMIT]` out of the arguments. @returns patterns of the files that this run leaves out */
function leftOut(): string[] {
  if (tier === "all") return [];
  const at = args.indexOf("--changed");
  if (at < 0) return ["**/*.all.test.ts"];
  const [, commit = "HEAD"] = args.splice(at, args[at + 1]?.startsWith("-") === false ? 2 : 1);
  const tree = readTree(".");
  const changed = [
    ...git("diff", "--name-only", commit),
    ...git("ls-files", "--others", "--exclude-standard"),
  ];
  const related = new Set(relatedToChange(tree, changed));
  console.log(`beside the core, for what changed since ${commit}: ${[...related].join(", ") || "nothing"}`);
  return [...tree.keys()].filter((path) => isTest(path) && tierOf(path) === "all" && !related.has(path));
}

/** Says of each file that failed whether it passes alone, which helps to find out why. It has failed all the same. */
async function diagnose(failed: readonly string[]): Promise<void> {
  for (const name of failed.length > MAX_FILES_AGAIN ? [] : failed) {
    console.log(`once more, alone: ${name}`);
    const { isGood } = await test([resolve(name)]);
    console.log(`${name} ${isGood ? "passes alone, and failed beside the others" : "fails alone, too"}`);
  }
}

try {
  const without = leftOut();
  const [failedChecks, { isGood, report }] = await Promise.all([check(), test(args, without)]);
  const failed = report.files.filter(({ failure }) => failure !== null);
  await diagnose(failed.map(({ name }) => name));
  if (writesTimes) writeTimes(withReport(readTimes(), tier, report, existsSync));
  console.log(`slowest: ${slowest(report, NAMED_SLOWEST).join(", ")}`);
  for (const { failure, name } of failed) console.log(`failed: ${name}: ${failure}`);
  if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(", ")}`);
  const { failedCount, passedCount, skippedCount } = judge(report);
  const testCount = passedCount + failedCount + skippedCount;
  console.log(
    tier === "core"
      ? `core: ${testCount} tests; ${countMore(readTimes())} more by npm run test:all`
      : `everything: ${testCount} tests`,
  );
  console.log(
    `${passedCount + checks.length - failedChecks.length} passed, ${failedCount + failedChecks.length} failed, ${skippedCount} skipped`,
  );
  // Vitest may end with an error that it names nowhere, as where it found no test.
  process.exitCode = failedCount + failedChecks.length === 0 && isGood ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
