/** Builds the native parts under the sanitizers and runs them on hostile input, each in a process of its own. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";

interface FuzzOptions {
  readonly seed: number;
  /** Multiple of the usual number of inputs. */
  readonly factor: number;
}

/** Time limit of one part; a sanitizer that finds something ends the process earlier. */
const LIMIT_MS = 10 * 60_000;
const FILE_COUNT = 3_000;
const FLAGS = [
  "-std=c++17",
  "-O1",
  "-g",
  "-pthread",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=undefined",
];

/**
 * Fuzzes each part and returns its counts by its name.
 * @throws Error if a part cannot be built, a sanitizer reports something, or a part ends otherwise
 */
export async function fuzz({ factor, seed }: FuzzOptions): Promise<Record<string, object>> {
  const counts: Record<string, object> = {};
  const take = (line: string) => {
    const { what, ...found } = JSON.parse(line) as { what: string };
    console.log(`${what}: ${JSON.stringify(found)}, no report`);
    counts[what] = found;
  };
  console.log("building under the sanitizers");
  execFileSync(process.execPath, ["prover/native/build.js", "--sanitize"], {
    cwd: repositoryRoot,
    stdio: "inherit",
  });
  const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  try {
    const parser = join(folder, "parse-files");
    const source = (path: string) => join(repositoryRoot, "prover/native", path);
    const sources = [source("check/parse-files.cpp"), source("src/zkey.cpp")];
    await promisify(execFile)("g++", [...FLAGS, "-I", source("src"), ...sources, "-o", parser]);
    const files = [String(seed), String(Math.ceil(FILE_COUNT * factor)), join(folder, "scratch.zkey")];
    await linesOf(parser, files, take);
    const child = fileURLToPath(new URL("fuzz-child.ts", import.meta.url));
    // node has no sanitizer of its own: the addons' has to be loaded before anything else.
    const runtimes = ["libasan.so", "libubsan.so"].map((name) =>
      execFileSync("g++", [`-print-file-name=${name}`], { encoding: "utf8" }).trim(),
    );
    await linesOf(process.execPath, ["--import", "tsx", child, String(seed), String(factor)], take, {
      LD_PRELOAD: runtimes.join(" "),
      // Node holds its memory until it ends.
      ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return counts;
}

function linesOf(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void,
  environment: Record<string, string> = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: repositoryRoot,
      env: { ...process.env, UBSAN_OPTIONS: "print_stacktrace=1", ...environment },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: LIMIT_MS,
    });
    createInterface({ input: child.stdout }).on("line", onLine);
    child.once("error", reject);
    child.once("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new Error(`a native part has ended with ${status ?? signal}: what it did is above`));
    });
  });
}
