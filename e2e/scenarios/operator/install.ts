/**
 * What an operator does on the first day, by the commands that an operator uses: from an empty chain to a rollup that posts
 * batches, with a deployment that is killed midway; then what breaks, and what `openledger doctor` says of it.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { examine } from "@openledger/operations/doctor/doctor";
import type { Finding } from "@openledger/operations/doctor/finding";
import { installationPaths } from "@openledger/operations/installation/installation";
import { Command } from "commander";
import { createTestClient, http, publicActions } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { type CommandRunner, commandRunner } from "../../world/commands.ts";
import type { Traffic } from "../../world/traffic.ts";
import { good, keepOption, positive, scenario, withFolder } from "../scenario.ts";
import { OperatedMachine } from "./operated-machine.ts";
import {
  DRILL_SETTINGS,
  freeRange,
  setOptions,
  startTraffic,
  unexpected,
  untilFinal,
  untilWell,
  writeConfig,
} from "./operator-steps.ts";

interface InstallOptions {
  readonly seconds: number;
  readonly keep: string | null;
}

export const installScenario = scenario<InstallOptions>(
  new Command("install")
    .description("an operator's first day, and what the doctor says of what breaks")
    .option("--seconds <n>", "of traffic", positive, 60)
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
From an empty anvil: deploy with a dry run, kill it midway, go on; operator init; every process from its systemd unit or
compose service; traffic; openledger doctor before and after things are broken. The last line is JSON: {"install": {…}}.`,
    ),
  (options, tell) =>
    withFolder(options.keep, "install", async (folder) =>
      good({ install: await install(folder, options, tell) }),
    ),
);

/** @throws DRL_… where something does not happen that should */
async function install(folder: string, { seconds }: InstallOptions, tell: (text: string) => void) {
  const chainId = 31337;
  const commands = commandRunner(folder);
  const machine = new OperatedMachine("operator", folder, commands);
  const anvil = await startAnvil({ chainId, blockTimeSeconds: 1 });
  let traffic: Traffic | null = null;
  try {
    const configPath = writeConfig(folder, { rpcUrl: anvil.url, chainId }, "development");
    const recordPath = await deployWithKill(commands, configPath, tell);
    const port = await freeRange();
    const own = ["--deployment", recordPath, "--operator-key-file", join(folder, "operator-key")];
    await machine.init(...own, "--port", String(port), ...setOptions(DRILL_SETTINGS));
    tell("installation written");
    machine.startMixed();
    const home = machine.folder;
    const first = await untilWell(home, machine.processes);
    tell(`all processes run; doctor: ${first.findings.length} checks, nothing wrong`);
    traffic = await startTraffic(anvil.url, recordPath, machine.url);
    await sleep(1_000 * seconds);
    await traffic.stop();
    const finalBatches = await untilFinal(machine.url, machine.processes, traffic.acknowledged.length);
    if (traffic.problems.length > 0) throw unexpected(traffic.problems.join("\n"));
    tell(`${traffic.acknowledged.length} operations acknowledged, ${finalBatches} batches final`);
    const well = await untilWell(home, machine.processes);
    await commands.run("doctor", "--config", home);
    const broken = await breakThings(machine, anvil.url, tell);
    const { acknowledged } = traffic;
    return { chainId, acknowledged: acknowledged.length, finalBatches, checks: well.findings.length, broken };
  } finally {
    traffic?.abandon();
    await machine.die();
    await anvil.stop();
  }
}

async function deployWithKill(
  commands: CommandRunner,
  configPath: string,
  tell: (text: string) => void,
): Promise<string> {
  const deploy = ["deploy", "--config", configPath];
  const dry = await commands.run(...deploy, "--dry-run");
  if (dry.sent !== false) throw unexpected("the dry run has sent something");
  tell(`dry run: ${(dry.cost as { gas: string }).gas} gas, nothing sent`);
  const kill = (text: string, end: () => void) => {
    if (text.includes("sending 0x")) end();
  };
  if ((await commands.heard(kill, ...deploy, "--yes")) !== null)
    throw unexpected("the deployment could not be killed in time");
  tell("deployment killed after its first transaction was signed");
  const deployed = await commands.run(...deploy, "--yes");
  if (deployed.rollupAddress !== dry.rollupAddress)
    throw unexpected("the rollup is elsewhere than the dry run said");
  tell(`deployment finished: rollup ${deployed.rollupAddress}`);
  return deployed.recordPath as string;
}

/** What goes wrong on an operator's machine, and the one thing that the doctor has to name then. */
interface Breakage {
  readonly what: string;
  readonly check: Finding["check"];
  readonly subject: string;
  /** @returns what mends it */
  make(): Promise<() => unknown> | (() => unknown);
}

function breakages(machine: OperatedMachine, rpcUrl: string): Breakage[] {
  const paths = installationPaths(machine.folder);
  const l1 = createTestClient({ mode: "anvil", transport: http(rpcUrl) }).extend(publicActions);
  const { address } = drillAccount("operator");
  const [prover, fullNode] = [machine.process("prover-1"), machine.process("full-node")];
  const record = readFileSync(paths.deployment, "utf8");
  const deployment = loadDeployment(paths.deployment);
  const [circuit, ...others] = deployment.circuits;
  return [
    {
      what: "a secret that others may read",
      ...{ check: "secret", subject: "operator-key" },
      make() {
        chmodSync(paths.operatorKey, 0o644);
        return () => chmodSync(paths.operatorKey, 0o600);
      },
    },
    {
      what: "a prover that was killed",
      ...{ check: "process", subject: "prover-1" },
      async make() {
        await prover.kill();
        return () => prover.launch();
      },
    },
    {
      what: "an operator without ether",
      ...{ check: "balance", subject: address },
      async make() {
        const value = await l1.getBalance({ address });
        await l1.setBalance({ address, value: 1n });
        return () => l1.setBalance({ address, value });
      },
    },
    {
      what: "a proving key that was cut off",
      ...{ check: "key", subject: circuit!.name },
      make() {
        // A copy: the file itself is shared.
        const zkeyPath = join(machine.folder, "damaged", basename(circuit!.zkeyPath));
        mkdirSync(dirname(zkeyPath), { recursive: true });
        copyFileSync(circuit!.zkeyPath, zkeyPath);
        copyFileSync(join(dirname(circuit!.zkeyPath), "meta.json"), join(dirname(zkeyPath), "meta.json"));
        truncateSync(zkeyPath, 1_000_000);
        const changed = { ...deployment, circuits: [{ ...circuit!, zkeyPath }, ...others] };
        writeFileSync(paths.deployment, encodeDeployment(changed));
        return () => writeFileSync(paths.deployment, record);
      },
    },
    {
      what: "a port that something else has",
      ...{ check: "port", subject: "full-node" },
      async make() {
        await fullNode.kill();
        const stranger = createServer((_request, response) => response.end("hello"));
        await new Promise<void>((resolve) =>
          stranger.listen(machine.portOf("full-node"), "127.0.0.1", resolve),
        );
        return async () => {
          stranger.closeAllConnections();
          await new Promise((resolve) => stranger.close(resolve));
          fullNode.launch();
        };
      },
    },
  ];
}

/** One thing after the other, and mends it again. @throws DRL_UNEXPECTED where the doctor does not name it, and it alone */
async function breakThings(machine: OperatedMachine, rpcUrl: string, tell: (text: string) => void) {
  const said: Record<string, string> = {};
  for (const { check, make, subject, what } of breakages(machine, rpcUrl)) {
    const mend = await make();
    const { problems } = await examine(machine.folder);
    const found = problems.find((one) => one.check === check && one.subject.includes(subject));
    if (found === undefined || problems.length > 1)
      throw unexpected(`${what}: the doctor says ${JSON.stringify(problems)}`);
    said[what] = `${found.problem} → ${found.remedy}`;
    tell(`${what}: ${found.problem}`);
    await mend();
    await untilWell(machine.folder, machine.processes);
  }
  return said;
}
