import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBridgeConfig } from "@openledger/bridge/config";
import { createBridgeMetrics } from "@openledger/bridge/metrics";
import { type Deployment, encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { loadHostConfig } from "@openledger/datanets/host/config";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { readFactoryConfig } from "@openledger/models/factory/factory-config";
import { createFactoryMetrics } from "@openledger/models/factory/factory-metrics";
import { createDispatchMetrics } from "@openledger/prover/jobs/dispatch-metrics";
import { handInKeyOf } from "@openledger/prover/jobs/hand-in";
import { ProofCredits, readProofCredits } from "@openledger/prover/jobs/proof-credits";
import { loadConfig } from "@openledger/sequencer/config";
import { createMetrics } from "@openledger/sequencer/metrics";
import { parser } from "@prometheus-io/lezer-promql";
import { Registry } from "prom-client";
import { privateKeyToAccount } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { examine } from "../doctor/doctor.ts";
import { type InitOptions, initInstallation, promoteStandby } from "./init.ts";
import { installationPaths, readEnvFile, readInstallation } from "./installation.ts";
import { PANELS } from "./write-monitoring.ts";

const KEY = `0x${"5".repeat(64)}` as const;
const LEASE = `0x${"3".repeat(40)}` as const;
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
    hasFullNode: true,
    hasDatanetHost: false,
    hasFactory: false,
    model: null,
    leaseAddress: null,
    standbyOf: null,
    url: null,
    user: null,
    settings: {},
    ...changes,
  });

describe("openledger operator init", () => {
  it("writes what every process takes, and nobody else may read what is secret", async () => {
    const { processes } = await init();
    const names = processes.map(({ name }) => name);
    expect(names).toEqual(["sequencer", "bridge", "prover-1", "prover-2", "full-node"]);
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

  it("gives systemd and compose the same commands, environment, folders and ports", async () => {
    const { processes } = await init({
      ...{ hasDatanetHost: true, hasFactory: true, leaseAddress: LEASE },
      model: { folder, id: 7, keyFile: join(folder, "key") },
    });
    const paths = installationPaths(out);
    const { services } = parse(readFileSync(paths.compose, "utf8"));
    for (const { args, healthPath, kind, name, port } of processes) {
      const unit = readFileSync(paths.unit(name), "utf8");
      const unitValue = (key: string) => new RegExp(`^${key}=(.+)$`, "m").exec(unit)?.[1];
      const { command, env_file, environment, healthcheck, network_mode, user, volumes, working_dir } =
        services[name];
      expect(unitValue("ExecStart")).toBe(`${process.execPath} ${args.join(" ")}`);
      expect(command).toEqual(["node", ...args]);
      expect(env_file).toEqual([unitValue("EnvironmentFile")]);
      expect(environment).toBeUndefined();
      expect(working_dir).toBe(unitValue("WorkingDirectory"));
      expect(user).toMatch(/^\d+:\d+$/);
      // On the host's network: the ports of the env files are the host's, and nothing is mapped.
      expect(network_mode).toBe("host");
      expect(healthcheck.test.at(-1)).toContain(`"http://127.0.0.1:${port}${healthPath}"`);
      const given = [...Object.values(readEnvFile(paths.env(name))), ...args];
      expect(kind === "sequencer" || given.includes(`${port}`), name).toBe(true);
      // Each folder is where it is on the host; what the unit may write, the container may.
      const mounts = (volumes as string[]).map((volume) => volume.split(":"));
      expect(mounts.every(([from, to]) => from === to)).toBe(true);
      const writable = mounts.filter(([, , mode]) => mode !== "ro").map(([from]) => from!);
      for (const path of unitValue("ReadWritePaths")!.split(" ")) {
        expect(
          writable.some((mount) => path === mount || path.startsWith(`${mount}/`)),
          path,
        ).toBe(true);
        expect(existsSync(path), `${path}, before the first start`).toBe(true);
      }
      const files = Object.entries(readEnvFile(paths.env(name))).filter(([key]) => key.endsWith("_FILE"));
      for (const [, path] of files) expect(mounts.some(([mount]) => path.startsWith(`${mount}/`))).toBe(true);
      expect(volumes).toContain("/nowhere/keys:/nowhere/keys:ro");
    }
    expect(Object.keys(services)).toEqual([...processes.map(({ name }) => name), "prometheus", "grafana"]);
    for (const name of ["prometheus", "grafana"]) expect(services[name].network_mode).toBe("host");
  });

  it("makes a leader that needs the lease, and a standby of it that follows and waits", async () => {
    const given = { SEQUENCER_REPLICA: "required", BRIDGE_LEASE_SECONDS: "90" };
    await init({ leaseAddress: LEASE, hasFullNode: false, settings: given });
    const leader = installationPaths(out);
    expect(readEnvFile(leader.env("sequencer"))).toMatchObject({
      SEQUENCER_LEASE: "required",
      SEQUENCER_REPLICA_TOKEN_FILE: leader.replicaToken,
    });
    expect(loadConfig(readEnvFile(leader.env("sequencer"))).replica).toBe("required");
    expect(readBridgeConfig(readEnvFile(leader.env("bridge")))).toMatchObject({
      leaseAddress: LEASE,
      leaseSeconds: 90,
    });
    const standbyFolder = join(folder, "standby");
    const asStandby = {
      deploymentPath: null,
      folder: standbyFolder,
      operatorKeyFile: null,
      firstPort: 24_000,
    };
    const { lease, processes } = await init({ ...asStandby, standbyOf: out, url: "https://b.example" });
    const [role, leaderUrl] = ["standby", "http://127.0.0.1:23000"];
    expect(lease).toEqual({ address: LEASE, role, url: "https://b.example", leaderUrl });
    expect(processes.map(({ name }) => name)).toEqual(["prover-1", "prover-2", "full-node"]);
    const standby = installationPaths(standbyFolder);
    for (const name of ["proverToken", "replicaToken"] as const)
      expect(readFileSync(standby[name], "utf8")).toBe(readFileSync(leader[name], "utf8"));
    expect(readFileSync(standby.operatorToken, "utf8")).not.toBe(readFileSync(leader.operatorToken, "utf8"));
    const names = [leader, standby].map((paths) => readEnvFile(paths.env("prover-1")).PROVER_NAME);
    expect(names).toEqual(["prover-1@127.0.0.1:23000", "prover-1@b.example"]);
    expect(readEnvFile(standby.env("prover-1"))).toMatchObject({
      PROVER_SEQUENCER_URL: leaderUrl,
      PROVER_STANDBY_SEQUENCER_URL: "http://127.0.0.1:24000",
    });
    const unit = readFileSync(standby.unit("full-node"), "utf8");
    expect(unit).toContain(`--feed ${leaderUrl} `);
    expect(unit).toContain(`--replica-token-file ${standby.replicaToken}\n`);
    // After its take-over; nobody is its standby then, so it waits for nobody's acknowledgement.
    const promoted = await promoteStandby(standbyFolder);
    expect(promoted.lease).toEqual({
      address: LEASE,
      role: "leader",
      url: "https://b.example",
      leaderUrl: null,
    });
    expect(promoted.processes.map(({ name }) => name)).toContain("bridge");
    const now = loadConfig(readEnvFile(standby.env("sequencer")));
    expect([now.lease, now.replica, now.port]).toEqual(["required", "off", 24_000]);
    // Settings of the old leader that are not about its standby stay.
    expect(readEnvFile(standby.env("bridge")).BRIDGE_LEASE_SECONDS).toBe("90");
    // The old leader comes back as the standby of the new one, once its ledger is out of the way.
    const back = { ...asStandby, folder: out, firstPort: 23_000, standbyOf: standbyFolder };
    mkdirSync(leader.data("sequencer"));
    await expect(init(back)).rejects.toMatchObject({ code: "CMD_INIT_REFUSED" });
    rmSync(leader.data("sequencer"), { recursive: true });
    expect((await init(back)).lease).toMatchObject({ role: "standby", leaderUrl: "https://b.example" });
  });

  it("refuses a standby of an installation without a lease, and a lease too short for its margin", async () => {
    await init();
    const standby = {
      deploymentPath: null,
      folder: join(folder, "standby"),
      operatorKeyFile: null,
      standbyOf: out,
    };
    await expect(init(standby)).rejects.toMatchObject({ code: "CMD_INIT_REFUSED" });
    await expect(init({ url: "https://a.example" })).rejects.toMatchObject({ code: "CMD_INIT_REFUSED" });
    await init({ leaseAddress: LEASE, settings: { BRIDGE_LEASE_SECONDS: "30" } });
    const { env } = installationPaths(out);
    expect(() => readBridgeConfig(readEnvFile(env("bridge")))).toThrow("three times the margin");
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
    await expect(init()).rejects.toMatchObject({ code: "CIR_SECRET_FILE", data: { reason: "open" } });
    rmSync(out, { recursive: true, force: true });
    chmodSync(join(folder, "key"), 0o600);
    for (const settings of [{ BRIDGE_L1_MAX_FE: "80" }, { BRIDGE_L1_MAX_FEE_GWEI: "-1" }]) {
      await expect(init({ settings: settings as never })).rejects.toMatchObject({ code: "CMD_INIT_REFUSED" });
      rmSync(out, { recursive: true, force: true });
    }
    await expect(init({ folder })).rejects.toMatchObject({
      code: "CMD_INIT_REFUSED",
      data: { reason: "init-folder-taken" },
    });
  });

  it("refuses a folder with data of another rollup, and changes nothing in it", async () => {
    await init();
    const data = installationPaths(out).data("sequencer");
    claimStore(data, { kind: "sequencer", rollup: record });
    await init();
    const before = readFileSync(installationPaths(out).deployment, "utf8");
    for (const change of [{ rollupAddress: `0x${"4".repeat(40)}` as const }, { chainId: 1338 }]) {
      writeFileSync(join(folder, "deployment.json"), encodeDeployment({ ...record, ...change }));
      await expect(init()).rejects.toMatchObject({
        code: "CMD_INIT_REFUSED",
        data: { reason: "init-other-rollup", path: data },
      });
      expect(readFileSync(installationPaths(out).deployment, "utf8")).toBe(before);
    }
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
    expect(names).toEqual(["sequencer", "bridge", "dispatcher", "prover-1", "prover-2", "full-node"]);
    const paths = installationPaths(out);
    const prover = readEnvFile(paths.env("prover-1"));
    expect(prover.PROVER_QUEUE_FILE).toBe(paths.workerQueueUrl);
    expect(prover.PROVER_TOKEN_FILE).toBeUndefined();
    expect(readFileSync(paths.workerQueueUrl, "utf8")).toContain("prover:little@");
    expect(statSync(paths.queueUrl).mode & 0o777).toBe(0o600);
    const dispatcher = readEnvFile(paths.env("dispatcher"));
    expect(dispatcher.DISPATCHER_TOKEN_FILE).toBe(paths.proverToken);
    const credits = new ProofCredits(dispatcher.DISPATCHER_CREDITS_PATH!);
    credits.add({ batchHash: `0x${"ab".repeat(32)}`, batchNumber: 1, worker: "prover-1", atMs: 0 });
    expect(readProofCredits(join(paths.data("dispatcher"), "credits.jsonl"))).toHaveLength(1);
    // Each worker has a key for its name, and the secret stays where workers on other machines have keys of it.
    const read = (path: string) => readFileSync(path, "utf8").trim();
    const secret = read(dispatcher.DISPATCHER_HAND_IN_SECRET_FILE!);
    expect(read(prover.PROVER_HAND_IN_KEY_FILE!)).toBe(handInKeyOf(secret, prover.PROVER_NAME!));
    expect(read(paths.handInKey("prover-2"))).not.toBe(read(paths.handInKey("prover-1")));
    await init({ queue: { urlFile, workerUrlFile } });
    expect(read(paths.handInSecret)).toBe(secret);
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
    const nothing = { jobs: () => [], computations: () => ({ running: 0, waiting: 0 }) };
    const factory = createFactoryMetrics(nothing).registry;
    const registries = [createMetrics().registry, bridge, createDispatchMetrics().registry, factory];
    const metrics = (await Promise.all(registries.map((one) => one.getMetricsAsJSON()))).flat();
    const known = [...metrics.map(({ name }) => name), "up", "rollup_full_node_alarm"];
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
      "process full-node",
    ])
      expect(said).toContain(expected);
    for (const { remedy } of problems) expect(remedy.length).toBeGreaterThan(10);
    expect(JSON.stringify(problems)).not.toContain("password");
    expect(statSync(paths.operatorToken).mode & 0o777).toBe(0o604);
  });

  it("says that there is no installation", async () => {
    await expect(examine(folder)).rejects.toMatchObject({
      code: "CMD_INIT_REFUSED",
      data: { reason: "doctor-no-installation" },
    });
  });
});
