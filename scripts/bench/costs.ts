/** What a newcomer's commands take, from a fresh clone of this checkout's HEAD with an empty cache. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";

/** Of a part that was not measured, null. CPU time is the command's and that of all processes it has waited for. */
interface Costs {
  testMinutes: number | null;
  testAllMinutes: number | null;
  /** Of `npm run test:all`, where that was measured; else of `npm test`. */
  tests: number | null;
  firstStartSeconds: number | null;
  secondStartSeconds: number | null;
  /** `openledger --help`: the median of several. */
  helpCpuSeconds: number | null;
  testCpuMinutes: number | null;
  /** What `npm start` took to prove with, and why, in its own words. */
  prover: string | null;
}

type Log = (line: string) => void;

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly lines: readonly string[];
}

const HELP_RUNS = 7;
const SHOWN_LINES = 400;

const PARTS: Readonly<Record<string, (clone: Clone, costs: Costs) => Promise<void>>> = {
  help: async (clone, costs) => {
    const seconds: number[] = [];
    for (let i = 0; i < HELP_RUNS; i++)
      seconds.push((await clone.run("node", "scripts/openledger.js", "--help")).cpuSeconds);
    costs.helpCpuSeconds = seconds.sort((a, b) => a - b)[(HELP_RUNS - 1) / 2]!;
  },
  start: async (clone, costs) => {
    await clone.emptyCache();
    const first = await clone.run("npm", "start", "--", "--exit");
    costs.firstStartSeconds = Math.round(first.seconds);
    costs.prover = find(first.lines, /proofs by (.+)/);
    costs.secondStartSeconds = Math.round((await clone.run("npm", "start", "--", "--exit")).seconds);
  },
  test: async (clone, costs) => {
    await clone.emptyCache();
    const { cpuSeconds, lines, seconds } = await clone.run("npm", "test");
    costs.testMinutes = minutes(seconds);
    costs.testCpuMinutes = minutes(cpuSeconds);
    costs.tests ??= testCount(lines);
  },
  "test-all": async (clone, costs) => {
    await clone.emptyCache();
    const { lines, seconds } = await clone.run("npm", "run", "test:all");
    costs.testAllMinutes = minutes(seconds);
    costs.tests = testCount(lines);
  },
};

/** @param only names of parts @throws RangeError for another name; where a command fails, with its last lines */
export async function measureCosts(only: readonly string[], log: Log): Promise<Costs> {
  const unknown = only.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined)
    throw new RangeError(`there is no part "${unknown}": ${Object.keys(PARTS).join(", ")}`);
  const folder = await mkdtemp(join(tmpdir(), "openledger-costs-"));
  const clone = new Clone(folder, log);
  try {
    await clone.make();
    const costs: Costs = {
      testMinutes: null,
      testAllMinutes: null,
      tests: null,
      firstStartSeconds: null,
      secondStartSeconds: null,
      helpCpuSeconds: null,
      testCpuMinutes: null,
      prover: null,
    };
    for (const [name, measure] of Object.entries(PARTS)) {
      if (only.includes(name)) await measure(clone, costs);
      else log(`not measured: ${name}`);
    }
    return costs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class Clone {
  readonly #path: string;
  readonly #temporary: string;
  readonly #log: Log;

  constructor(folder: string, log: Log) {
    this.#path = join(folder, "clone");
    this.#temporary = join(folder, "tmp");
    this.#log = log;
  }

  async make(): Promise<void> {
    await mkdir(this.#path);
    await this.emptyCache();
    await this.run("git", "clone", "--quiet", "--no-hardlinks", repositoryRoot, ".");
    await this.run("npm", "ci");
  }

  /** What the clone has made since its installation: circuits, keys, a ledger, translated sources. */
  async emptyCache(): Promise<void> {
    for (const path of [join(this.#path, ".cache"), join(this.#path, ".openledger"), this.#temporary])
      await rm(path, { recursive: true, force: true });
    await mkdir(this.#temporary);
  }

  run(...command: readonly string[]): Promise<Measured> {
    this.#log(`${command.join(" ")} …`);
    const { HOME = "", PATH = "" } = process.env;
    // The shell counts what its children, and theirs, have used.
    const timed = ["-c", 'TIMEFORMAT="cpu %U %S"; time "$@"', "bash", ...command];
    const child = spawn("bash", timed, {
      cwd: this.#path,
      env: { HOME, PATH, TMPDIR: this.#temporary },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const startedAtMs = performance.now();
    const lines: string[] = [];
    for (const input of [child.stdout, child.stderr])
      createInterface({ input }).on("line", (line) => lines.push(line));
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => {
        const seconds = (performance.now() - startedAtMs) / 1_000;
        const used = /^cpu ([\d.]+) ([\d.]+)$/m.exec(lines.join("\n"));
        if (status !== 0 || used === null) {
          const last = lines.slice(-SHOWN_LINES).join("\n");
          reject(new Error(`${command.join(" ")} ended with status ${status}:\n${last}`));
          return;
        }
        const cpuSeconds = rounded(Number(used[1]) + Number(used[2]));
        this.#log(`${command.join(" ")}: ${seconds.toFixed(1)} s, ${cpuSeconds} s of CPU`);
        resolve({ seconds, cpuSeconds, lines });
      });
    });
  }
}

const find = (lines: readonly string[], pattern: RegExp): string | null =>
  lines.map((line) => pattern.exec(line)?.[1]).find((text) => text !== undefined) ?? null;

/** Of `core: 2000 tests; …` or `everything: 4169 tests`. */
function testCount(lines: readonly string[]): number | null {
  const text = find(lines, /^(?:core|everything): (\d+) tests/);
  return text === null ? null : Number(text);
}

const rounded = (value: number) => Math.round(100 * value) / 100;
const minutes = (seconds: number) => rounded(seconds / 60);
