import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServiceSpec } from "../world/services.ts";
import type { Console } from "./console.ts";
import { Journal } from "./journal.ts";
import { commandOf, endLeftovers } from "./process-file.ts";
import { Supervisor } from "./supervisor.ts";

let folder: string;
let alarms: string[];
let gaveUp: Error | null;
let supervisor: Supervisor;
const recordPath = () => join(folder, "processes.json");
const quiet = (): Console => ({
  title() {},
  line() {},
  done() {},
  progress() {},
  alarm: (text) => void alarms.push(text),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "devnet-"));
  alarms = [];
  gaveUp = null;
  supervisor = new Supervisor({
    logDir: join(folder, "logs"),
    recordPath: recordPath(),
    console: quiet(),
    onGiveUp: (error) => {
      gaveUp = error;
    },
  });
});
afterEach(async () => {
  await supervisor.stop();
  rmSync(folder, { recursive: true });
});

const nodeService = (name: string, program: string, isReady = async () => true): ServiceSpec => ({
  name,
  command: process.execPath,
  args: ["-e", program],
  isReady,
});
const recorded = () =>
  (
    JSON.parse(readFileSync(recordPath(), "utf8")) as {
      children: { name: string; pid: number; command: string }[];
    }
  ).children;
const FOREVER = "setInterval(() => {}, 1000)";

describe("Supervisor", () => {
  it("starts a service again when it ends by itself, and says so loudly", async () => {
    await supervisor.start(nodeService("worker", FOREVER));
    const pid = recorded()[0]!.pid;
    process.kill(pid, "SIGKILL");
    await expect.poll(() => recorded()[0]?.pid).not.toBe(pid);
    expect(alarms).toEqual([expect.stringContaining("worker ended with SIGKILL")]);
  });

  it("gives no service the DATABASE_URL of another project's shell", async () => {
    process.env.DATABASE_URL = "postgres://foreign/project";
    const program = `console.log("sees", process.env.DATABASE_URL, process.env.OWN); ${FOREVER}`;
    const sees = async () => readFileSync(supervisor.logPath("worker"), "utf8").includes("sees");
    try {
      await supervisor.start({ ...nodeService("worker", program, sees), env: { OWN: "1" } });
    } finally {
      delete process.env.DATABASE_URL;
    }
    expect(readFileSync(supervisor.logPath("worker"), "utf8")).toContain("sees undefined 1");
  });

  it("gives up on a service that does not stay up, with the end of its log", async () => {
    await supervisor.start(nodeService("broken", "console.log('out of coffee'); process.exit(3)"));
    await expect.poll(() => gaveUp, { timeout: 60_000 }).not.toBeNull();
    expect(gaveUp).toMatchObject({
      code: "DEV_FAILED",
      data: { reason: "service-failed" },
      message: expect.stringContaining("out of coffee"),
    });
  });

  it("tells who waits for a service's first answer that it does not stay up", async () => {
    const neverReady = nodeService("broken", "console.log('out of tea'); process.exit(3)", async () => false);
    await expect(supervisor.start(neverReady)).rejects.toMatchObject({
      code: "DEV_FAILED",
      message: expect.stringMatching(/ended 5 times within a minute[\s\S]*out of tea/),
    });
    expect(gaveUp).not.toBeNull();
  }, 60_000);

  it("ends services in reverse order, by SIGTERM", async () => {
    const path = join(folder, "ends");
    const told = (name: string) =>
      `process.on('SIGTERM', () => { require('fs').appendFileSync(${JSON.stringify(path)}, '${name} '); process.exit(0) }); console.log('ready'); ${FOREVER}`;
    const hasTold = (name: string) => async () =>
      readFileSync(supervisor.logPath(name), "utf8").includes("ready");
    await supervisor.start(nodeService("first", told("first"), hasTold("first")));
    await supervisor.start(nodeService("second", told("second"), hasTold("second")));
    await supervisor.stop();
    expect(readFileSync(path, "utf8")).toBe("second first ");
    expect(recorded()).toEqual([]);
  });
});

describe("endLeftovers", () => {
  const record = (owner: { pid: number; command: string }, children: object[]) =>
    writeFileSync(recordPath(), JSON.stringify({ owner, children }));
  const gone = { pid: 2 ** 22 - 1, command: "gone" };

  it("ends a recorded process that outlived its devnet", async () => {
    const child = spawn(process.execPath, ["-e", FOREVER], { stdio: "ignore" });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    record(gone, [{ name: "worker", pid: child.pid, command: commandOf(child.pid!) }]);
    expect(await endLeftovers(recordPath())).toEqual(["worker"]);
    await exited;
  });

  it("leaves alone a process that has got the recorded number since", async () => {
    record(gone, [{ name: "worker", pid: process.pid, command: "something else" }]);
    expect(await endLeftovers(recordPath())).toEqual([]);
  });

  it("refuses to start beside a devnet that runs", async () => {
    const child = spawn(process.execPath, ["-e", FOREVER], { stdio: "ignore" });
    record({ pid: child.pid!, command: commandOf(child.pid!)! }, []);
    await expect(endLeftovers(recordPath())).rejects.toMatchObject({
      code: "DEV_FAILED",
      data: { reason: "already-running" },
    });
    child.kill("SIGKILL");
  });
});

describe("Journal", () => {
  it("has on disk what was set when the promise resolves, in whatever order it was asked", async () => {
    const path = join(folder, "journal.json");
    const journal = new Journal(path);
    await Promise.all([journal.set("a", 1), journal.set("b", { hash: "0x02" }), journal.set("a", 3)]);
    const read = new Journal(path);
    expect(read.get("a")).toBe(3);
    expect(read.get("b")).toEqual({ hash: "0x02" });
    expect(read.get("c")).toBeUndefined();
  });

  it("refuses a file that is none", () => {
    const path = join(folder, "journal.json");
    writeFileSync(path, "{");
    expect(() => new Journal(path)).toThrow(expect.objectContaining({ code: "DEV_STATE_LOST" }));
  });
});
