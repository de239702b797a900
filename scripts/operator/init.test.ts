import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { Registry } from "prom-client";
import { privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createBridgeMetrics } from "../../bridge/metrics.ts";
import { type Deployment, encodeDeployment, loadDeployment } from "../../circuits/registry/deployment.ts";
import { loadHostConfig } from "../../datanets/host/config.ts";
import { readFactoryConfig } from "../../models/factory/factory-config.ts";
import { createDispatchMetrics } from "../../prover/jobs/dispatch-metrics.ts";
import { createMetrics } from "../../sequencer/metrics.ts";
import { examine } from "./doctor.ts";
import { type InitOptions, initInstallation } from "./init.ts";
import { installationPaths, readEnvFile, readInstallation } from "./installation.ts";
import { PANELS } from "./write-monitoring.ts";

const KEY = `0x${"5".repeat(64)}` as const;
const OWNER = privateKeyToAccount(KEY).address;
let folder: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openledger-init-"));
  out = join(folder, "operator");
  writeFileSync(join(folder, "key"), `${KEY}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "deployment.json"), encodeDeployment(record));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const record: Deployment = {
  chainId: 1337,
  // Nothing listens on port 1.
  rpcUrl: "http://user:password@127.0.0.1:1",
  tokenAddress: `0x${"1".repeat(40)}`,
  rollupAddress: `0x${"2".repeat(40)}`,
  deployedAtBlock: 1,
  domain: 1n,
  genesis: { treasuryOwner: OWNER, operatorOwner: OWNER, operatorKeyX: 1n, root: 1n },
  idFeeWei: 1n,
  circuits: [
    {
      name: "leaf-exit",
      sort: 3,
      size0: 0,
      size1: 0,
      circuitId: 1n,
      isDevelopment: false,
      contentHash: "none",
      zkeyPath: "/nowhere/keys/leaf-exit.zkey",
      wasmPath: "/nowhere/leaf-exit.wasm",
      verificationKeyPath: "/nowhere/keys/verification-key.json",
    },
  ],
};
const init = (changes: Partial<InitOptions> = {}) =>
  initInstallation({
    deploymentPath: join(folder, "deployment.json"),
    folder: out,
    operatorKeyFile: join(folder, "key"),
    rpcUrl: null,
    proverCount: 2,
    queue: null,
    backend: "wasm",
    host: "127.0.0.1",
    firstPort: 23_000,
    hasFollower: true,
    hasDatanetHost: false,
    hasFactory: false,
    model: null,
    leaseAddress: null,
    spareOf: null,
    url: null,
    user: null,
    settings: {},
    ...changes,
  });

describe("openledger operator init", () => {
  it("writes what every process takes, and nobody else may read what is secret", async () => {
    const { processes } = await init();
    const names = processes.map(({ name }) => name);
    expect(names).toEqual(["sequencer", "bridge", "prover-1", "prover-2", "follower"]);
    expect(new Set(processes.map(({ port }) => port)).size).toBe(names.length);
    const paths = installationPaths(out);
    const secrets = [
      paths.operatorKey,
      paths.operatorToken,
      paths.proverToken,
      paths.deployment,
      ...names.map(paths.env),
    ];
    for (const path of secrets) expect(statSync(path).mode & 0o777, path).toBe(0o600);
    expect(statSync(join(out, "secrets")).mode & 0o777).toBe(0o700);
    // The secrets are in their own files alone, and the node's address only where nobody else reads.
    const token = readFileSync(paths.operatorToken, "utf8").trim();
    for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || secrets.slice(0, 3).includes(path)) continue;
      const text = readFileSync(path, "utf8");
      for (const secret of [KEY, token]) expect(text.includes(secret), path).toBe(false);
      if (text.includes("password")) expect(statSync(path).mode & 0o077, path).toBe(0);
    }
  });

  it("gives systemd and compose the same commands and the same env files", async () => {
    const { processes } = await init();
    const paths = installationPaths(out);
    const { services } = parse(readFileSync(paths.compose, "utf8"));
    for (const { args, name } of processes) {
      const unit = readFileSync(paths.unit(name), "utf8");
      expect(unit).toContain(`ExecStart=${process.execPath} ${args.join(" ")}\n`);
      expect(unit).toContain(`EnvironmentFile=${paths.env(name)}\n`);
      expect(services[name].command).toEqual(["node", ...args]);
      expect(services[name].env_file).toEqual([paths.env(name)]);
      expect(services[name].volumes).toContain("/nowhere/keys:/nowhere/keys:ro");
    }
    expect(Object.keys(services)).toEqual([...processes.map(({ name }) => name), "prometheus", "grafana"]);
  });

  it("keeps secrets and given settings when it is run again, and writes the rest anew", async () => {
    await init({ settings: { BRIDGE_L1_MAX_FEE_GWEI: "80" } });
    const paths = installationPaths(out);
    const token = readFileSync(paths.operatorToken, "utf8");
    rmSync(paths.env("sequencer"));
    await init({ operatorKeyFile: null, proverCount: 1, rpcUrl: "http://127.0.0.1:2" });
    expect(readFileSync(paths.operatorToken, "utf8")).toBe(token);
    expect(readEnvFile(paths.env("bridge"))).toMatchObject({
      BRIDGE_L1_MAX_FEE_GWEI: "80",
      BRIDGE_L1_RPC_URL: "http://127.0.0.1:2",
    });
    expect(readEnvFile(paths.env("sequencer")).SEQUENCER_PORT).toBe("23000");
    expect(loadDeployment(paths.deployment).rpcUrl).toBe("http://127.0.0.1:2");
    expect(readInstallation(out).processes).toHaveLength(4);
  });

  it("refuses a stranger's key, an open key file, a setting that is none, and a folder of something else", async () => {
    writeFileSync(join(folder, "key"), `0x${"6".repeat(64)}`, { mode: 0o600 });
    await expect(init()).rejects.toMatchObject({ code: "CMD_INIT_REFUSED" });
    rmSync(out, { recursive: true, force: true });
    writeFileSync(join(folder, "key"), KEY);
    chmodSync(join(folder, "key"), 0o640);
    await expect(init()).rejects.toMatchObject({ code: "CIR_SECRET_FILE_OPEN" });
    rmSync(out, { recursive: true, force: true });
    chmodSync(join(folder, "key"), 0o600);
    for (const settings of [{ BRIDGE_L1_MAX_FE: "80" }, { BRIDGE_L1_MAX_FEE_GWEI: "-1" }]) {
      await expect(init({ settings: settings as never })).rejects.toMatchObject({ code: "CMD_INIT_REFUSED" });
      rmSync(out, { recursive: true, force: true });
    }
    await expect(init({ folder })).rejects.toMatchObject({ code: "CMD_INIT_FOLDER_TAKEN" });
  });

  it("writes a Datanet host that its settings let start, where one is asked for", async () => {
    const { processes } = await init({ hasDatanetHost: true, settings: { DATANET_MAX_ROW_BYTES: "1000" } });
    expect(processes.map(({ name }) => name)).toContain("datanet-host");
    const paths = installationPaths(out);
    expect(loadHostConfig(readEnvFile(paths.env("datanet-host")))).toMatchObject({
      maxRowBytes: 1_000,
      deploymentPath: paths.deployment,
      dataPath: paths.data("datanet-host"),
    });
  });

  it("writes a factory that takes rows from the Datanet host beside it", async () => {
    const { processes } = await init({ hasDatanetHost: true, hasFactory: true });
    const paths = installationPaths(out);
    const { port } = processes.find(({ name }) => name === "datanet-host")!;
    expect(readFactoryConfig(readEnvFile(paths.env("factory")))).toMatchObject({
      accounts: "any",
      host: "127.0.0.1",
      datanetHosts: [`http://127.0.0.1:${port}`],
      dataPath: paths.data("factory"),
    });
  });

  it("gives provers the queue's own user, and the dispatcher the token", async () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 });
      return join(folder, name);
    };
    const urlFile = file("queue", "redis://:all@127.0.0.1:6379");
    const workerUrlFile = file("worker-queue", "redis://prover:little@127.0.0.1:6379");
    const { processes } = await init({ queue: { urlFile, workerUrlFile } });
    const names = processes.map(({ name }) => name);
    expect(names).toEqual(["sequencer", "bridge", "dispatcher", "prover-1", "prover-2", "follower"]);
    const paths = installationPaths(out);
    const prover = readEnvFile(paths.env("prover-1"));
    expect(prover.PROVER_QUEUE_FILE).toBe(paths.workerQueueUrl);
    expect(prover.PROVER_TOKEN_FILE).toBeUndefined();
    expect(readFileSync(paths.workerQueueUrl, "utf8")).toContain("prover:little@");
    expect(statSync(paths.queueUrl).mode & 0o777).toBe(0o600);
    expect(readEnvFile(paths.env("dispatcher")).DISPATCHER_TOKEN_FILE).toBe(paths.proverToken);
    const { prometheus } = installationPaths(out);
    const config = parse(readFileSync(join(prometheus, "prometheus.yml"), "utf8"));
    expect(config.rule_files).toContain("rules/prover-jobs-alerts.yml");
    const provers = config.scrape_configs.find(
      ({ job_name }: { job_name: string }) => job_name === "rollup-prover",
    );
    expect(provers.static_configs[0].targets).toHaveLength(2);
  });

  it("scrapes each process that has metrics under the job that the alerts ask for", async () => {
    await init();
    const { prometheus } = installationPaths(out);
    const config = parse(readFileSync(join(prometheus, "prometheus.yml"), "utf8"));
    const jobs = config.scrape_configs.map((scrape: { job_name: string }) => scrape.job_name);
    const asked = new Set<string>();
    for (const path of config.rule_files)
      for (const [, job] of readFileSync(join(prometheus, path), "utf8").matchAll(/job="([^"]+)"/g))
        asked.add(job!);
    expect(jobs.sort()).toEqual([...asked].sort());
  });
});

describe("Grafana's board", () => {
  it("asks for metrics that there are, in queries that parse", async () => {
    const bridge = new Registry();
    createBridgeMetrics(bridge);
    const registries = [createMetrics().registry, bridge, createDispatchMetrics().registry];
    const metrics = (await Promise.all(registries.map((one) => one.getMetricsAsJSON()))).flat();
    const known = [...metrics.map(({ name }) => name), "up", "rollup_follower_alarm"];
    for (const expr of PANELS.flatMap(({ queries }) => Object.values(queries))) {
      parser.parse(expr).iterate({
        enter: ({ from, name, to, type }) => {
          expect(type.isError, expr).toBe(false);
          if (name === "Identifier")
            expect(known).toContain(expr.slice(from, to).replace(/_(bucket|sum|count)$/, ""));
        },
      });
    }
  });
});

describe("openledger doctor", () => {
  it("names everything at once where nothing is right, and changes nothing", async () => {
    await init();
    const paths = installationPaths(out);
    chmodSync(paths.operatorToken, 0o604);
    writeFileSync(paths.env("prover-1"), "PROVER_NAMED=x\n", { mode: 0o600 });
    const { problems } = await examine(out);
    const said = problems.map(({ check, subject }) => `${check} ${subject}`);
    for (const expected of [
      "key leaf-exit",
      `secret ${paths.operatorToken}`,
      "settings prover-1",
      "l1 127.0.0.1:1",
      "process bridge",
      "process follower",
    ])
      expect(said).toContain(expected);
    for (const { remedy } of problems) expect(remedy.length).toBeGreaterThan(10);
    expect(JSON.stringify(problems)).not.toContain("password");
    expect(statSync(paths.operatorToken).mode & 0o777).toBe(0o604);
  });

  it("says that there is no installation", async () => {
    await expect(examine(folder)).rejects.toMatchObject({ code: "CMD_DOCTOR_NO_INSTALLATION" });
  });
});
