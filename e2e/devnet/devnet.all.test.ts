import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** Runs the first command of a new user: the real processes, the real L1 and real proofs, in a temporary folder. */
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "openledger-devnet-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

function run(
  script: string,
  args: readonly string[],
): Promise<{ status: number | null; output: string; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
      cwd: repositoryRoot,
      env: { ...process.env, OPENLEDGER_HOME: home },
    });
    let output = "";
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output, stdout }));
  });
}

describe("npm start", () => {
  test("runs the whole job with proofs on L1, and every check holds", { timeout: 1_500_000 }, async () => {
    const { status, output } = await run("e2e/devnet.ts", ["--exit", "--small"]);
    expect(status, output.slice(-8000)).toBe(0);
    const journal = JSON.parse(await readFile(join(home, "journal.json"), "utf8")) as {
      report?: {
        checks: { holds: boolean }[];
        earnings: { model: string; name: string; wrongCount: number; rowCount: number; earnedWei: string }[];
      };
    };
    const [, summary] = /^ *start (\{.*\})$/m.exec(output) ?? [];
    const { failedCount, transferMs } = JSON.parse(summary!) as {
      failedCount: number;
      transferMs: Record<string, number>;
    };
    expect(failedCount).toBe(0);
    expect(Object.keys(transferMs)).toEqual(["acknowledged", "proven", "posted", "final"]);
    const times = Object.values(transferMs);
    expect(times.every((ms, i) => ms > 0 && ms >= (times[i - 1] ?? 0))).toBe(true);
    const checks = journal.report?.checks ?? [];
    expect(checks.length).toBeGreaterThan(15);
    expect(checks.every(({ holds }) => holds)).toBe(true);
    const earnings = journal.report?.earnings ?? [];
    for (const part of ["mails", "speeches"]) {
      const own = earnings.filter(({ model }) => model === part);
      expect(own.map(({ name }) => name)).toEqual(["bob", "carol", "dave"]);
      expect(own.reduce((sum, { earnedWei }) => sum + BigInt(earnedWei), 0n)).toBeGreaterThan(0n);
    }
    expect(earnings.some(({ wrongCount }) => wrongCount > 0)).toBe(true);
  });

  test("resumes, does nothing twice, and keeps what it did", { timeout: 900_000 }, async () => {
    const before = await readFile(join(home, "journal.json"), "utf8");
    const { status, output } = await run("e2e/devnet.ts", ["--exit", "--small"]);
    expect(status, output.slice(-8000)).toBe(0);
    expect(output).toContain("it is not repeated");
    expect(await readFile(join(home, "journal.json"), "utf8")).toBe(before);
  });

  test("names what is down, and answers other commands with a typed error", {
    timeout: 240_000,
  }, async () => {
    const status = await run("scripts/openledger.ts", ["status", "--json"]);
    expect(status.status, status.output).toBe(1);
    const { checks } = JSON.parse(status.stdout) as { checks: { check: string; problem: string | null }[] };
    const down = checks.filter(({ problem }) => problem !== null).map(({ check }) => check);
    expect(down).toEqual(expect.arrayContaining(["l1", "sequencer", "answer-server"]));
    const fees = await run("scripts/openledger.ts", ["fees", "--json"]);
    expect(fees.status, fees.output).toBe(1);
    expect(fees.output).toMatch(/"code":\s*"CLI_UNREACHABLE"/);
  });
});
