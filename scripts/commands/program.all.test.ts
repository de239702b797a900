import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Ended, runInProcess as run } from "./testing/run-in-process.ts";

const executable = fileURLToPath(new URL("../openledger.js", import.meta.url));

/** Runs a process of its own, for tests of its exit status or its streams. */
const spawned = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [executable, ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

describe("openledger", () => {
  it("answers help with status 0, and no matter who stops reading", async () => {
    const { status, stdout } = await spawned("transfer", "--help");
    expect(status).toBe(0);
    expect(stdout).toContain("Example:");
    const child = spawn(process.execPath, [executable, "models", "--help"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    const said: string[] = [];
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
    await once(child, "close");
    expect(said.join("")).toBe("");
  });

  it("answers wrong usage with status 2: what happened, what to do, the code", async () => {
    const { status, stdout, stderr } = await spawned("transfer", "bob");
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n")).toEqual([expect.any(String), expect.any(String), "[CMD_USAGE]"]);
  });

  it("answers failures as JSON where JSON is asked for", async () => {
    const usage = await run("transfer", "bob", "--json");
    expect(usage.status).toBe(2);
    expect(JSON.parse(usage.stdout)).toMatchObject({
      error: { code: "CMD_USAGE", remedy: expect.any(String) },
    });
    const amount = await spawned("--json", "transfer", "bob", "1e5", "--account", "alice");
    expect(amount.status).toBe(1);
    expect(JSON.parse(amount.stdout)).toMatchObject({
      error: { code: "CLI_INPUT_INVALID", data: { text: "1e5" } },
    });
  });
});
