import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import { startHealthServer } from "@openledger/foundation/http/health-server";
import { createLogger } from "@openledger/foundation/logger";
import { deploymentOn, startL1World } from "@openledger/sequencer/testing/l1-world";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runInProcess } from "../../testing/run-in-process.ts";
import { checkKeyFiles, headProblem } from "./check-l1.ts";
import { batchFinding, bridgeFindings, checkServices, proverFinding } from "./check-services.ts";
import { describeFindings, type Finding } from "./finding.ts";

const folder = mkdtempSync(join(tmpdir(), "openledger-status-"));
let f: HistoryFixture;
beforeAll(async () => {
  process.env.OPENLEDGER_HOME = folder;
  f = await startHistoryFixture();
}, 180_000);
afterAll(async () => {
  await f?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `openledger status --json`. @returns its answer and exit status */
async function status(rpcUrl: string, sequencerUrl: string) {
  const where = ["--rpc", rpcUrl, "--rollup", f.rollup.address, "--sequencer", sequencerUrl];
  const ended = await runInProcess("status", "--json", ...where);
  const json = JSON.parse(ended.stdout) as { checks: Finding[]; l1: object | null; sequencer: object | null };
  const problems = json.checks.filter(({ problem }) => problem !== null);
  return { ...json, problems, status: ended.status, text: ended.stdout };
}

describe("openledger status", () => {
  it("finds nothing wrong with a rollup that is well, and names each thing that is not, with a remedy", async () => {
    const world = await startL1World(f, await deploymentOn(f), join(folder, "world"));
    // A test's sequencer has a clock of its own.
    world.rollup.clock.nowMs = Date.now();
    await world.watch();
    const url = world.sequencerUrl;
    const well = await status(f.rpcUrl, url);
    expect(well.problems).toEqual([]);
    expect(well.status).toBe(0);
    expect(well.sequencer).toMatchObject({ url });
    const kinds = new Set(well.checks.map(({ check }) => check));
    expect([...kinds].sort()).toEqual(
      ["balance", "batch", "bridge", "contract", "key", "l1", "prover", "sequencer"].sort(),
    );

    const address = f.l1.roles.sequencer;
    const value = await f.l1.client.getBalance({ address });
    await f.l1.client.setBalance({ address, value: 1n });
    const poor = await status(f.rpcUrl, url);
    expect(poor.problems).toMatchObject([{ check: "balance", subject: address }]);
    expect(poor.status).toBe(1);
    await f.l1.client.setBalance({ address, value });

    const elsewhere = await runInProcess(
      "status",
      "--json",
      "--rpc",
      f.rpcUrl,
      "--rollup",
      `0x${"9".repeat(40)}`,
    );
    expect(elsewhere.status).toBe(1);
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ l1: null, sequencer: null });

    await world.stop();
    const silent = await status(f.rpcUrl, url);
    expect(silent.problems).toMatchObject([{ check: "sequencer", subject: url }]);
    expect(silent.problems[0]!.remedy).toContain("start it");
    expect(silent).toMatchObject({ status: 1, sequencer: null });
    expect(silent.l1, "L1 is told all the same").not.toBeNull();

    // Nothing listens on port 1; the address has a password in it.
    const cut = await status("http://user:password@127.0.0.1:1", url);
    expect(cut.problems.map(({ check }) => check)).toEqual(["l1", "sequencer"]);
    expect(cut).toMatchObject({ status: 1, l1: null });
    expect(cut.text).not.toContain("password");
  }, 180_000);

  it("asks each server, and names the one that is not well and the one that does not answer", async () => {
    let isHealthy = true;
    const host = await startHealthServer({
      port: 0,
      registry: new Registry(),
      health: () => ({ isHealthy }),
      log: createLogger("host", "silent"),
    });
    const services = {
      answerServers: [],
      datanetHosts: [`http://127.0.0.1:${host.port}`],
      factoryUrl: "http://127.0.0.1:1",
    };
    const wrong = async () =>
      (await checkServices(services)).filter(({ problem }) => problem !== null).map(({ check }) => check);
    expect(await wrong()).toEqual(["factory"]);
    isHealthy = false;
    expect(await wrong()).toEqual(["datanet-host", "factory"]);
    await host.close();
  });
});

describe("a check", () => {
  const now = Date.UTC(2026, 10, 28);
  const minutesAgo = (count: number) => now - 60_000 * count;
  const problemOf = (findings: Finding | Finding[]) =>
    [findings].flat().map(({ problem }) => problem !== null);

  it("calls a head wrong that is older than ten minutes, or ahead of the clock", () => {
    expect(headProblem(7n, now / 1_000 - 600, now / 1_000)).toBeNull();
    expect(headProblem(7n, now / 1_000 - 601, now / 1_000)).toBe("block 7 is 601 s old");
    expect(headProblem(7n, now / 1_000 + 61, now / 1_000)).toContain("ahead");
  });

  it("calls a batch wrong that waits for half an hour, and says for what", () => {
    const batch = { number: 3, status: "closed", closedAtMs: minutesAgo(30) };
    expect(batchFinding(batch, now).problem).toBeNull();
    const late = batchFinding({ ...batch, closedAtMs: minutesAgo(31) }, now);
    expect(late).toMatchObject({
      problem: expect.stringContaining("not proven"),
      remedy: expect.stringContaining("proofsbehind"),
    });
    const proven = batchFinding({ ...batch, status: "proven", closedAtMs: minutesAgo(31) }, now);
    expect(proven.problem).toContain("not on L1");
  });

  it("misses a bridge that was not heard for ten minutes, and passes its alarms on", () => {
    expect(problemOf(bridgeFindings(null, now))).toEqual([true]);
    expect(problemOf(bridgeFindings({ heardAtMs: minutesAgo(10), alarms: [] }, now))).toEqual([false]);
    expect(
      problemOf(bridgeFindings({ heardAtMs: minutesAgo(11), alarms: ["BRG_NONCE_TAKEN"] }, now)),
    ).toEqual([true, true]);
  });

  it("misses a prover where a batch waits for one, and nowhere else", () => {
    const prover = { heardAtMs: minutesAgo(5), name: "p" };
    expect(problemOf(proverFinding(null, false, 60_000, now))).toEqual([false]);
    expect(problemOf(proverFinding(null, true, 60_000, now))).toEqual([true]);
    expect(problemOf(proverFinding(prover, true, 60_000, now))).toEqual([true]);
    expect(problemOf(proverFinding(prover, true, 300_000, now))).toEqual([false]);
  });

  it("misses a ceremony's key file, and no development key that nobody has used yet", () => {
    const zkeyPath = join(folder, "leaf-exit.zkey");
    const circuit = { name: "leaf-exit", zkeyPath, isDevelopment: false } as DeployedCircuit;
    expect(problemOf(checkKeyFiles([circuit, { ...circuit, isDevelopment: true }]))).toEqual([true, false]);
    writeFileSync(zkeyPath, "");
    expect(problemOf(checkKeyFiles([circuit]))).toEqual([false]);
  });

  it("is told in two lines where something is wrong, and counted where nothing is", () => {
    const good: Finding = { check: "l1", subject: "node", problem: null, remedy: null };
    const bad: Finding = { check: "bridge", subject: "report", problem: "silent", remedy: "start it" };
    expect(describeFindings([good])).toEqual(["nothing is wrong (1 checks)"]);
    expect(describeFindings([good, bad])).toEqual([
      "WRONG  bridge report: silent",
      "       → start it",
      "1 of 2 checks found something wrong",
    ]);
  });
});
