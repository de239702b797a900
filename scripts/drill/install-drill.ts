/**
 * What an operator does on the first day, by the commands that an operator uses: from an empty chain to a rollup that posts
 * batches, with a deployment that is killed midway; then what breaks, and what `openledger doctor` says of it.
 */
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import { createTestClient, createWalletClient, http, maxUint256, parseEther, publicActions } from "viem";
import { repositoryRoot } from "../../circuits/compiler/compile.ts";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import { encodeDeployment, loadDeployment } from "../../circuits/registry/deployment.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { freePort } from "../../circuits/testing/free-port.ts";
import { openTokenAbi, rollupAbi } from "../../contracts/build/rollup-abi.ts";
import { startAnvil } from "../../contracts/l1/anvil.ts";
import { type Diagnosis, examine } from "../operator/doctor.ts";
import type { Finding } from "../operator/finding.ts";
import { installationPaths, readInstallation } from "../operator/installation.ts";
import { drillAccount, drillPrivateKey, drillUser } from "./drill-accounts.ts";
import { drillCeremony } from "./drill-ceremony.ts";
import { drillError } from "./drill-errors.ts";
import { commandOfCompose, commandOfUnit, InstalledProcess } from "./installed-process.ts";
import { FEE_PER_UNIT_WEI, Traffic } from "./traffic.ts";
import { waitUntil } from "./wait-until.ts";

export interface InstallDrillOptions {
  /** Keys of a real ceremony on chain 1337, instead of development keys on 31337. */
  readonly hasCeremony: boolean;
  readonly trafficMs: number;
  /** Where everything is left. */
  readonly folder: string;
  readonly tell: (text: string) => void;
}

export interface InstallDrillResult {
  readonly chainId: number;
  readonly acknowledged: number;
  readonly finalBatches: number;
  readonly checks: number;
  /** What was broken, and what the doctor said of it. */
  readonly broken: Readonly<Record<string, string>>;
}

const CIRCUITS = ["batch-0-2", "leaf-exit", "earner-exit-4"];
/** 60,248 constraints. */
const POWER = 16;
const USERS = [0, 1, 2, 3];
const FIRST_DEPOSIT_WEI = parseEther("1000");
const FINALITY_BLOCKS = 8;
const PATIENCE_MS = 600_000;

/** @throws DRL_… where something does not happen that should */
export async function runInstallDrill(options: InstallDrillOptions): Promise<InstallDrillResult> {
  const { folder, hasCeremony, tell } = options;
  const chainId = hasCeremony ? 1337 : 31337;
  mkdirSync(folder, { recursive: true });
  const keys = hasCeremony ? await ceremonyKeys(folder, tell) : "development";
  const anvil = await startAnvil({ chainId, blockTimeSeconds: 1 });
  const processes: InstalledProcess[] = [];
  let traffic: Traffic | null = null;
  try {
    const configPath = writeConfig(folder, { rpcUrl: anvil.url, chainId }, keys);
    const recordPath = await deployWithKill(configPath, tell);
    const home = join(folder, "operator");
    await init(folder, home, recordPath);
    tell("installation written");
    const logs = join(folder, "logs");
    mkdirSync(logs, { recursive: true });
    const { processes: installed } = readInstallation(home);
    // Half of them as systemd starts them, half as compose does.
    for (const { kind, name } of installed) {
      const isUnit = kind === "sequencer" || kind === "bridge";
      const start = isUnit ? commandOfUnit(home, name) : commandOfCompose(home, name);
      const one = new InstalledProcess(name, start, logs);
      one.launch();
      processes.push(one);
    }
    const first = await untilWell(home, processes);
    tell(`all processes run; doctor: ${first.findings.length} checks, nothing wrong`);
    const { port } = installed[0]!;
    const sequencerUrl = `http://127.0.0.1:${port}`;
    traffic = await startTraffic(anvil.url, recordPath, sequencerUrl);
    await sleep(options.trafficMs);
    await traffic.stop();
    const finalBatches = await untilFinal(sequencerUrl, processes, traffic.acknowledged.length);
    if (traffic.problems.length > 0) throw unexpected(traffic.problems.join("\n"));
    tell(`${traffic.acknowledged.length} operations acknowledged, ${finalBatches} batches final`);
    const well = await untilWell(home, processes);
    await openledger(["doctor", "--config", home, "--json"]);
    const broken = await breakThings(home, anvil.url, processes, tell);
    const { acknowledged } = traffic;
    return { chainId, acknowledged: acknowledged.length, finalBatches, checks: well.findings.length, broken };
  } finally {
    traffic?.abandon();
    await Promise.all(processes.toReversed().map((one) => one.stop("SIGKILL")));
    await anvil.stop();
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ended = (processes: readonly InstalledProcess[]) =>
  processes.map((one) => one.endedByItself()).find((end) => end !== null) ?? null;
const unexpected = (message: string) => drillError("DRL_UNEXPECTED", message);

async function ceremonyKeys(folder: string, tell: (text: string) => void): Promise<object> {
  const { keyFolders, ptauPath } = await drillCeremony(CIRCUITS, POWER, tell);
  const keys = join(folder, "keys");
  for (const [i, from] of keyFolders.entries()) {
    const to = join(keys, CIRCUITS[i]!);
    mkdirSync(to, { recursive: true });
    for (const name of [`${CIRCUITS[i]}.zkey`, "meta.json", "verification-key.json"])
      copyFileSync(join(from, name), join(to, name));
  }
  return { folder: keys, ptau: ptauPath, leastContributions: 4 };
}

function writeConfig(folder: string, l1: { rpcUrl: string; chainId: number }, keys: object | string): string {
  const secret = (name: string, key: string) =>
    writeFileSync(join(folder, name), `${key}\n`, { mode: 0o600 });
  secret("deployer-key", drillPrivateKey("faucet"));
  secret("operator-key", drillPrivateKey("operator"));
  const path = join(folder, "deploy.json");
  const config = {
    l1: { ...l1, confirmations: 2 },
    deployerKeyFile: "deployer-key",
    token: { holder: drillAccount("faucet").address },
    operator: { keyFile: "operator-key" },
    treasuryOwner: drillAccount("treasury").address,
    idFee: "0.5",
    circuits: CIRCUITS,
    keys,
    out: "deployment",
  };
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}

/** @returns the answer's JSON. @throws DRL_UNEXPECTED with another status */
async function openledger(
  args: readonly string[],
  onLine: (line: string, kill: () => void) => void = () => {},
): Promise<{ status: number | null; json: Record<string, unknown> | null }> {
  const child = spawn(process.execPath, ["scripts/openledger.js", ...args], {
    cwd: repositoryRoot,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part) => {
    stdout += part;
  });
  child.stderr.on("data", (part) => {
    stderr += part;
    onLine(String(part), () => child.kill("SIGKILL"));
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (status === null) return { status, json: null };
  if (status !== 0) throw unexpected(`openledger ${args[0]} ended with ${status}: ${stdout}${stderr}`);
  return { status, json: JSON.parse(stdout) as Record<string, unknown> };
}

async function deployWithKill(configPath: string, tell: (text: string) => void): Promise<string> {
  const args = ["deploy", "--config", configPath, "--json"];
  const { json: dry } = await openledger([...args, "--dry-run"]);
  if (dry!.sent !== false) throw unexpected("the dry run has sent something");
  tell(`dry run: ${(dry!.cost as { gas: string }).gas} gas, nothing sent`);
  const killed = await openledger([...args, "--yes"], (line, kill) => {
    if (line.includes("sending 0x")) kill();
  });
  if (killed.status !== null) throw unexpected("the deployment could not be killed in time");
  tell("deployment killed after its first transaction was signed");
  const { json } = await openledger([...args, "--yes"]);
  if (json!.rollupAddress !== dry!.rollupAddress)
    throw unexpected("the rollup is elsewhere than the dry run said");
  tell(`deployment finished: rollup ${json!.rollupAddress}`);
  return json!.recordPath as string;
}

async function init(folder: string, home: string, recordPath: string): Promise<void> {
  const settings = {
    SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI,
    SEQUENCER_CLOSE_INTERVAL_MS: 1_000,
    SEQUENCER_MAX_UNPOSTED_BATCHES: 4,
    BRIDGE_L1_CONFIRMATIONS: 2,
    BRIDGE_L1_FINALITY_DEPTH_BLOCKS: FINALITY_BLOCKS,
    BRIDGE_POLL_INTERVAL_MS: 300,
    PROVER_POLL_INTERVAL_MS: 200,
  };
  const set = Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const places = [
    "--deployment",
    recordPath,
    "--out",
    home,
    "--operator-key-file",
    join(folder, "operator-key"),
  ];
  await openledger(["operator", "init", ...places, "--port", String(await freeRange()), ...set, "--json"]);
}

/** The first of five free ports. */
async function freeRange(): Promise<number> {
  for (;;) {
    const first = await freePort();
    if (first > 64_000) continue;
    const taken = await Promise.all([1, 2, 3, 4].map((i) => isTaken(first + i)));
    if (!taken.includes(true)) return first;
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}

async function untilWell(home: string, processes: readonly InstalledProcess[]): Promise<Diagnosis> {
  let last: Diagnosis | null = null;
  await waitUntil(
    "the doctor to find nothing",
    async () => {
      last = await examine(home);
      return last.problems.length === 0;
    },
    PATIENCE_MS,
    { inVain: () => ended(processes) },
  ).catch((error: unknown) => {
    if (!isRollupError(error, "DRL_TIMEOUT")) throw error;
    const said = last?.problems.map(({ problem, subject }) => `${subject}: ${problem}`).join("; ");
    throw drillError("DRL_TIMEOUT", `the doctor still finds: ${said}`, { cause: error });
  });
  return last!;
}

async function startTraffic(rpcUrl: string, recordPath: string, sequencerUrl: string): Promise<Traffic> {
  await initPoseidon();
  const record = loadDeployment(recordPath);
  const users = USERS.map((i) => drillUser(i));
  const chain = {
    id: record.chainId,
    name: "drill",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  };
  const wallet = createWalletClient({
    chain,
    transport: http(rpcUrl),
    account: drillAccount("faucet"),
  }).extend(publicActions);
  const mined = async (hash: `0x${string}`) =>
    wallet.waitForTransactionReceipt({ hash, pollingInterval: 200 });
  const token = { address: record.tokenAddress, abi: openTokenAbi } as const;
  await mined(
    await wallet.writeContract({
      ...token,
      functionName: "approve",
      args: [record.rollupAddress, maxUint256],
    }),
  );
  for (const { keyX, l1Owner } of users) {
    const args = [FIRST_DEPOSIT_WEI, l1Owner, keyX, parseEther("10")] as const;
    await mined(
      await wallet.writeContract({
        address: record.rollupAddress,
        abi: rollupAbi,
        functionName: "depositNew",
        args,
      }),
    );
  }
  await waitUntil(
    "the first deposits",
    async () => {
      const answers = await Promise.all(
        users.map(({ leafId }) => fetch(`${sequencerUrl}/v1/leaves/${leafId}`).then((answer) => answer.ok)),
      );
      return answers.every(Boolean);
    },
    PATIENCE_MS,
  );
  const traffic = new Traffic({ sequencerUrl, domain: record.domain, users });
  traffic.start();
  return traffic;
}

async function untilFinal(
  sequencerUrl: string,
  processes: readonly InstalledProcess[],
  acknowledged: number,
): Promise<number> {
  if (acknowledged === 0) throw unexpected("no operation was acknowledged");
  const batches = await waitUntil(
    "every batch to be final",
    async () => {
      const answer = await fetch(`${sequencerUrl}/v1/status`);
      const status = (await answer.json()) as {
        batches: { closed: number; final: number };
        head: { operationCount: number };
      };
      const isOver = status.head.operationCount === 0 && status.batches.final === status.batches.closed;
      return isOver ? status.batches.final : null;
    },
    PATIENCE_MS,
    { inVain: () => ended(processes) },
  );
  return batches;
}

/** Breaks one thing after the other, and mends it again. @throws DRL_UNEXPECTED where the doctor does not name it */
async function breakThings(
  home: string,
  rpcUrl: string,
  processes: readonly InstalledProcess[],
  tell: (text: string) => void,
): Promise<Record<string, string>> {
  const paths = installationPaths(home);
  const said: Record<string, string> = {};
  const expectFinding = async (what: string, check: Finding["check"], subject: string) => {
    const { problems } = await examine(home);
    const found = problems.find((one) => one.check === check && one.subject.includes(subject));
    const others = problems.filter((one) => one !== found);
    if (found === undefined || others.length > 0)
      throw unexpected(`${what}: the doctor says ${JSON.stringify(problems)}`);
    said[what] = `${found.problem} → ${found.remedy}`;
    tell(`${what}: ${found.problem}`);
  };
  const l1 = createTestClient({ mode: "anvil", transport: http(rpcUrl) }).extend(publicActions);
  const { address } = drillAccount("operator");
  const prover = processes.find(({ name }) => name === "prover-1")!;
  const follower = processes.find(({ name }) => name === "follower")!;

  chmodSync(paths.operatorKey, 0o644);
  await expectFinding("a secret that others may read", "secret", "operator-key");
  chmodSync(paths.operatorKey, 0o600);

  await prover.stop("SIGKILL");
  await expectFinding("a prover that was killed", "process", "prover-1");
  prover.launch();

  const balance = await l1.getBalance({ address });
  await untilWell(home, processes);
  await l1.setBalance({ address, value: 1n });
  await expectFinding("an operator without ether", "balance", address);
  await l1.setBalance({ address, value: balance });

  const record = readFileSync(paths.deployment, "utf8");
  const deployment = loadDeployment(paths.deployment);
  const [circuit] = deployment.circuits;
  // A copy: the file itself is shared.
  const damaged = join(home, "damaged", basename(circuit!.zkeyPath));
  mkdirSync(dirname(damaged), { recursive: true });
  copyFileSync(circuit!.zkeyPath, damaged);
  copyFileSync(join(dirname(circuit!.zkeyPath), "meta.json"), join(dirname(damaged), "meta.json"));
  truncateSync(damaged, 1_000_000);
  const others = deployment.circuits.slice(1);
  const changed = { ...deployment, circuits: [{ ...circuit!, zkeyPath: damaged }, ...others] };
  writeFileSync(paths.deployment, encodeDeployment(changed));
  await expectFinding("a proving key that was cut off", "key", circuit!.name);
  writeFileSync(paths.deployment, record);

  const { port } = readInstallation(home).processes.find(({ name }) => name === "follower")!;
  await follower.stop("SIGKILL");
  const stranger = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => stranger.listen(port, "127.0.0.1", resolve));
  await expectFinding("a port that something else has", "port", "follower");
  stranger.closeAllConnections();
  await new Promise((resolve) => stranger.close(resolve));
  follower.launch();
  await untilWell(home, processes);
  return said;
}
