/**
 * `npm test`: style, types, imports and unused code beside the core tests (`*.test.ts`). `npm run test:all` runs the tests of
 * `*.all.test.ts` as well, the core's random tries whole, and compiles what is prebuilt again.
 *
 * Other arguments go to Vitest: a path, `--changed origin/main`, `--shard 1/4`. The first shard runs the checks.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startTestServer, TEST_SERVER_URL } from "@openledger/foundation/testing/test-database";
import { type Counts, closingLine, countTests, type VitestJson } from "./testing/counts.ts";

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** More arguments, by which it reads again only what has changed since it last ran here. */
  readonly remembers?: readonly string[];
}

/** Folder in which checks remember what they have read. `npm run test:all` and a fresh clone read everything. */
const REMEMBERED = ".cache/checks";
const types = (name: string, remembered: string, ...more: string[]): Check => ({
  name,
  command: "tsgo",
  // One thread: several would each work out the same types.
  args: ["--noEmit", "--singleThreaded", ...more],
  remembers: ["--incremental", "--tsBuildInfoFile", `${REMEMBERED}/${remembered}.json`],
});
const CHECKS: readonly Check[] = [
  { name: "style", command: "tsx", args: ["scripts/biome.ts", "check", ".", "--diagnostic-level=error"] },
  types("types", "types"),
  types("types of pages", "types-of-pages", "-p", "web"),
  {
    name: "imports",
    command: "depcruise",
    args: ["--config", ".dependency-cruiser.cjs", "."],
    // By git's word on what has changed.
    remembers: existsSync(".git") ? ["--cache", `${REMEMBERED}/imports`] : [],
  },
  {
    name: "unused code",
    command: "knip",
    args: ["--no-progress"],
    remembers: ["--cache", "--cache-location", `${REMEMBERED}/unused`],
  },
];
/** Every prebuilt file is compiled again and compared: no one has to trust it. */
const PREBUILT: Check = { name: "prebuilt", command: "tsx", args: ["scripts/prebuild.ts", "--check"] };

const { tokens } = parseArgs({
  options: { all: { type: "boolean" }, shard: { type: "string" } },
  strict: false,
  tokens: true,
});
const optionToken = (name: string) => tokens.find((token) => token.kind === "option" && token.name === name);
const isWhole = optionToken("all") !== undefined;
const shard = optionToken("shard") as { value?: string } | undefined;
const vitestArgs = process.argv.slice(2).filter((word) => word !== "--all");
const isFirstShard = shard === undefined || shard.value?.startsWith("1/") === true;
const checks = isFirstShard ? [...CHECKS, ...(isWhole ? [PREBUILT] : [])] : [];

/** Free memory of a machine that keeps a run's files there: half a gigabyte, beside what the tests and checks take. */
const ROOM_BYTES = 6e9;
/**
 * Makes the folder of a run's temporary files and of its database: in memory where there is room, since a new file takes a tenth of
 * the CPU there, and each database has 300. The long run installs packages, which are too large for that.
 */
async function makeRunFolder(): Promise<string> {
  const memory = "/dev/shm";
  const room = await statfs(memory).then(
    ({ bavail, bsize }) => Math.min(bavail * bsize, process.availableMemory()),
    () => 0,
  );
  const folder = await mkdtemp(join(!isWhole && room > ROOM_BYTES ? memory : tmpdir(), "openledger-test-"));
  // The database's user passes through it.
  await chmod(folder, 0o711);
  return folder;
}

/** Aborted by a signal that asks this run to end, which a terminal and npm each send: what the run has made goes away with it. */
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ending.abort());

function run(command: string, args: readonly string[], stdio: "inherit" | "pipe") {
  return new Promise<{ isGood: boolean; output: string }>((settle, reject) => {
    const child = spawn(join("node_modules", ".bin", command), args, {
      stdio: ["inherit", stdio, stdio],
      // Go collects a fifth as often: a third less of CPU for tsgo, whose types live until its end, for a sixth more of memory.
      env: { GOGC: "400", ...process.env, TEST_TIER: isWhole ? "all" : "core" },
    });
    ending.signal.addEventListener("abort", () => child.kill());
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part: Buffer) => parts.push(part));
    child.on("error", reject);
    child.on("close", (code) => settle({ isGood: code === 0, output: Buffer.concat(parts).toString() }));
  });
}

/** Runs the checks one after another, since each takes a core. @returns the names of those that failed */
async function check(): Promise<string[]> {
  const failed: string[] = [];
  for (const { args, command, name, remembers = [] } of checks) {
    if (ending.signal.aborted) break;
    const startedAtMs = Date.now();
    const { isGood, output } = await run(command, isWhole ? args : [...args, ...remembers], "pipe");
    const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
    // Printed whole: the tests print meanwhile.
    console.log(`${output}${name}: ${isGood ? "ok" : "FAILED"} in ${seconds} s`);
    if (!isGood) failed.push(name);
  }
  return failed;
}

async function test(): Promise<Counts> {
  const folder = await makeRunFolder();
  // Without it each file would start and stop the server. Where it does not start, the files that need it say why.
  const server = await startTestServer(join(folder, "database")).catch(() => null);
  const report = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const projects = isWhole ? [] : ["--project=!long"];
    if (server !== null) process.env[TEST_SERVER_URL] = server.url;
    if (!isWhole) process.env.TMPDIR = folder;
    const { isGood } = await run("vitest", ["run", ...reporters, ...projects, ...vitestArgs], "inherit");
    const json = await readFile(report, "utf8").catch(() => null);
    return countTests(json === null ? null : (JSON.parse(json) as VitestJson), isGood);
  } finally {
    await server?.release();
    await rm(folder, { recursive: true, force: true });
  }
}

const [failedChecks, tests] = await Promise.all([check(), test()]);
if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(", ")}`);
const total = {
  passed: tests.passed + checks.length - failedChecks.length,
  failed: tests.failed + failedChecks.length,
  skipped: tests.skipped,
};
console.log(closingLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
