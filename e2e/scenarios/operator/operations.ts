/**
 * Scenario of an operator, by the commands that an operator uses: from an empty chain to a rollup that posts batches,
 * with a deployment that is killed midway. Then all processes are killed, and started again on the same volumes.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { blobFinder, blobProviders } from "@openledger/bridge/blobs/blob-providers";
import { isBlobShape } from "@openledger/circuits/protocol";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { loadDeployedCircuits } from "@openledger/prover/keys/deployed-circuits";
import { Command } from "commander";
import { createTestClient, http } from "viem";
import { auditPreconfirmations } from "../../audit/audit.ts";
import { type CommandRunner, commandRunner } from "../../world/commands.ts";
import type { Traffic } from "../../world/traffic.ts";
import { waitUntil } from "../../world/wait-until.ts";
import { good, keepOption, positive, scenario, withFolder } from "../scenario.ts";
import { OperatedMachine } from "./operated-machine.ts";
import {
  DRILL_SETTINGS,
  ended,
  PATIENCE_MS,
  setOptions,
  startTraffic,
  unexpected,
  untilFinal,
  writeConfig,
} from "./operator-steps.ts";
import { rehearsedKeys } from "./rehearsed-keys.ts";

interface OperationsOptions {
  readonly ceremony: boolean;
  readonly seconds: number;
  readonly keep: string | null;
}

/** Development keys work there, and a chain that takes none. */
const [LOCAL_CHAIN_ID, OTHER_CHAIN_ID] = [31_337, 1_337];
/** Blocks after which a full node takes a contract for final. */
const FINALITY_BLOCKS = 64;

export const operationsScenario = scenario<OperationsOptions>(
  new Command("operations")
    .description("an operator's first day: deploy, operator init, traffic, and a machine that dies")
    .option("--ceremony", "with keys of a ceremony, on a chain that takes no development keys", false)
    .option("--seconds <n>", "of traffic, before and after the machine dies", positive, 30)
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
From an empty anvil: deploy with a dry run, kill it midway, go on; operator init, and a refused one; the processes of
compose.yaml, without containers; traffic; a batch in a blob; kill -9 of all of them, and a start on the same volumes; the audit. Keys of a
ceremony take half an hour at the first time, and are cached then. The last line is JSON: {"operations": {…}}.`,
    ),
  (options, tell) =>
    withFolder(options.keep, "operations", async (folder) =>
      good({ operations: await operate(folder, options, tell) }),
    ),
);

/** @throws DRL_… if something does not happen that should */
async function operate(
  folder: string,
  { ceremony, seconds }: OperationsOptions,
  tell: (text: string) => void,
) {
  const commands = commandRunner(join(folder, "installation"));
  const machine = await OperatedMachine.create(folder, commands);
  const chainId = ceremony ? OTHER_CHAIN_ID : LOCAL_CHAIN_ID;
  const keys = ceremony ? await rehearsedKeys(tell) : "development";
  const anvil = await startAnvil({ chainId, blockTimeSeconds: 1 });
  let traffic: Traffic | null = null;
  try {
    const l1 = { rpcUrl: anvil.url, chainId };
    if (ceremony) await refusedDevelopmentKeys(folder, l1, commands, tell);
    const configPath = writeConfig(folder, l1, keys);
    const recordPath = await deployWithKill(commands, configPath, tell);
    const own = ["--deployment", recordPath, "--operator-key-file", join(folder, "operator-key")];
    await refusedInit(machine, commands, own, tell);
    await machine.init(...own, ...setOptions(DRILL_SETTINGS));
    // A full node refuses a contract that a reorganisation could take back. Containers try again until it is deep enough.
    await createTestClient({ mode: "anvil", transport: http(anvil.url) }).mine({ blocks: FINALITY_BLOCKS });
    await machine.start();
    tell("all processes run");
    const sent = await startTraffic(anvil.url, recordPath, machine.url);
    traffic = sent;
    await sleep(1_000 * seconds);
    await closedIntoBlob(machine, commands, tell);
    const diedAtMs = performance.now();
    await machine.die();
    tell(`${sent.acknowledged.length} operations acknowledged; all processes killed`);
    await machine.start();
    const isBack = async () => sent.firstAfter(diedAtMs + 1) !== null;
    await waitUntil("an acknowledgement", isBack, PATIENCE_MS, { inVain: () => ended(machine.processes) });
    const recoverySeconds = Math.round((sent.firstAfter(diedAtMs + 1)! - diedAtMs) / 100) / 10;
    tell(`acknowledges again ${recoverySeconds} s after the kill, on the same volumes`);
    await sleep(1_000 * seconds);
    await sent.stop();
    const batches = await untilFinal(machine.url, machine.processes, sent.acknowledged.length);
    const counts = await audited(anvil.url, recordPath, machine.url, sent);
    tell(
      `${counts.acknowledged} promises, each at its place on L1; ${batches} batches final, ${counts.inBlobs} in a blob`,
    );
    return { chainId, ...counts, batches, recoverySeconds };
  } finally {
    traffic?.abandon();
    await machine.die();
    await anvil.stop();
  }
}

async function refusedDevelopmentKeys(
  folder: string,
  l1: { rpcUrl: string; chainId: number },
  commands: CommandRunner,
  tell: (text: string) => void,
): Promise<void> {
  const tried = join(folder, "development");
  mkdirSync(tried);
  const config = writeConfig(tried, l1, "development");
  const code = await commands.refusal("deploy", "--config", config, "--dry-run");
  if (code !== "CMD_DEPLOY_REFUSED") throw unexpected(`deploy says ${code} of development keys`);
  tell("deploy refuses development keys on this chain");
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
  if ((await commands.follow(kill, ...deploy, "--yes")) !== null)
    throw unexpected("the deployment could not be killed in time");
  tell("deployment killed after its first transaction was signed");
  const deployed = await commands.run(...deploy, "--yes");
  if (deployed.rollupAddress !== dry.rollupAddress)
    throw unexpected("the rollup is elsewhere than the dry run said");
  tell(`deployment finished: rollup ${deployed.rollupAddress}`);
  return deployed.recordPath as string;
}

/** The corrected command works after it, since it leaves nothing behind. */
async function refusedInit(
  machine: OperatedMachine,
  commands: CommandRunner,
  own: readonly string[],
  tell: (text: string) => void,
): Promise<void> {
  const wrong = ["operator", "init", "--out", machine.folder, ...own, "--set", "BRIDGE_NO_SETTING=1"];
  const code = await commands.refusal(...wrong);
  if (code !== "CMD_INIT_REFUSED") throw unexpected(`operator init says ${code} of an unknown setting`);
  tell("operator init refuses an unknown setting");
}

/** The table is so small that the sequencer itself chooses calldata. The open batch may hold nothing for a moment. */
async function closedIntoBlob(
  machine: OperatedMachine,
  commands: CommandRunner,
  tell: (text: string) => void,
): Promise<void> {
  const close = ["operator", "close-batch", "--place", "blob", "--sequencer", machine.url];
  const closed = async () => (await commands.run<{ batchNumber: number | null }>(...close)).batchNumber;
  const number = await waitUntil("a batch in a blob", closed, PATIENCE_MS, {
    inVain: () => ended(machine.processes),
  });
  tell(`batch ${number} is closed into a blob`);
}

/** Rebuilds the ledger from L1 and its blobs, and looks up every promise. @throws DRL_UNEXPECTED if one is broken */
async function audited(url: string, recordPath: string, sequencerUrl: string, traffic: Traffic) {
  const deployment = loadDeployment(recordPath);
  const loaded = await loadDeployedCircuits(deployment.circuits);
  const circuits = deployment.circuits.map(({ name, size0, size1, sort, tableSizes }) => ({
    sizes: { sort, size0, size1, tableSizes },
    proving: loaded.get(name)!,
  }));
  const blobs = blobFinder({
    archive: null,
    providers: blobProviders({ archives: [sequencerUrl], beaconUrls: [] }),
  });
  const { doubled, events, lost, posted, problems } = await auditPreconfirmations({
    blobs,
    circuits,
    l1: { url, deployment },
    traffic,
  });
  const batches = events.filter((event) => event.type === "batch");
  const inBlobs = batches.filter(({ batch }) => isBlobShape(batch.shape)).length;
  if (inBlobs === 0 || inBlobs === batches.length)
    throw unexpected(`${inBlobs} of ${batches.length} batches are in blobs, where L1 was to get both kinds`);
  const acknowledged = traffic.acknowledged.length;
  const all = [...problems];
  if (posted.length !== acknowledged)
    all.push(`L1 has ${posted.length} operations, ${acknowledged} were acknowledged`);
  if (all.length > 0 || lost > 0 || doubled > 0)
    throw unexpected([`${lost} lost, ${doubled} doubled`, ...all].join("\n"));
  return { acknowledged, lost, doubled, inBlobs };
}
