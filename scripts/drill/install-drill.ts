/**
 * What an operator does on the first day, by the commands that an operator uses: from an empty chain to a rollup that posts
 * batches, with a deployment that is killed midway; then what breaks, and what `openledger doctor` says of it.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import { encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { startAnvil } from "@openledger/contracts/internal/l1/anvil";
import { examine } from "@openledger/operations/doctor/doctor";
import { installationPaths, readInstallation } from "@openledger/operations/installation/installation";
import type { Finding } from "@openledger/operations/internal/doctor/finding";
import { createTestClient, http, publicActions } from "viem";
import { drillAccount } from "./drill-accounts.ts";
import { commandOfCompose, commandOfUnit, InstalledProcess } from "./installed-process.ts";
import {
  ceremonyKeys,
  DRILL_SETTINGS,
  freeRange,
  openledger,
  setOptions,
  sleep,
  startTraffic,
  unexpected,
  untilFinal,
  untilWell,
  writeConfig,
} from "./operator-steps.ts";
import type { Traffic } from "./traffic.ts";

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
  const places = [
    "--deployment",
    recordPath,
    "--out",
    home,
    "--operator-key-file",
    join(folder, "operator-key"),
  ];
  await openledger([
    "operator",
    "init",
    ...places,
    "--port",
    String(await freeRange()),
    ...setOptions(DRILL_SETTINGS),
    "--json",
  ]);
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
