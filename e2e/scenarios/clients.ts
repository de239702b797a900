/** The same rollup on several execution clients: from an empty chain by the operator's commands to a verified history. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { exitSizes, sizesOfName, twinNameOf } from "@openledger/circuits/registry/circuit-sizes";
import { type Deployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { force } from "@openledger/client/actions/forced/force";
import { approveToken } from "@openledger/client/actions/l1/approve-token";
import { deposit } from "@openledger/client/actions/l1/deposit";
import { finalizeWithdrawal } from "@openledger/client/actions/l1/finalize-withdrawal";
import { withdraw } from "@openledger/client/actions/ledger/account-operations";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { type WaitTarget, waitFor } from "@openledger/client/sequencer/wait-for";
import { MAX_TRANSACTION_GAS } from "@openledger/contracts/l1/fee-policy";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import type { BackendName } from "@openledger/prover/backends";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseEther } from "viem";
import { auditPreconfirmations } from "../audit/audit.ts";
import type { Injected } from "../faults/fault.ts";
import { reorgFault } from "../faults/reorg.ts";
import { drillAccount } from "../world/accounts.ts";
import { buildCircuit } from "../world/circuits.ts";
import { commandRunner } from "../world/commands.ts";
import { L1_CLIENTS, type L1ClientName } from "../world/l1-nodes/l1-clients.ts";
import { createWorld, STEP_TIMEOUT_MS, type World } from "../world/world.ts";
import { unexpected, writeConfig } from "./operator/operator-steps.ts";
import { CIRCUITS } from "./operator/rehearsed-keys.ts";
import { keepOption, proverOption, scenario } from "./scenario.ts";

/** Registered by `deploy`. No batch of this scenario is large enough to be cheaper there. */
const TWIN = twinNameOf(CIRCUITS[0]!)!;

interface ClientsOptions {
  readonly l1: readonly L1ClientName[];
  readonly prover: BackendName;
  readonly keep: string | null;
}

interface ClientResult {
  readonly scenarios: number;
  readonly passed: number;
  readonly batches: number;
  readonly blobs: number;
  readonly reorganisations: number;
  /** Gas of the dearest transaction on this L1, by its receipt. */
  readonly maxGas: number;
  /** Name and error of the scenario that failed; the scenarios behind it were not played. */
  readonly failed?: string;
}

const SCENARIOS = [
  "deployment with a new token",
  "deposits",
  "forced inclusion",
  "withdrawals",
  "reorganisation",
  "restart of the sequencer",
  "verification from L1",
  "gas of every transaction",
] as const;
type ScenarioName = (typeof SCENARIOS)[number];
const CLIENT_NAMES = Object.keys(L1_CLIENTS) as L1ClientName[];
const REORGANISATIONS = 2;

function clientNames(text: string): L1ClientName[] {
  const names = text.split(",");
  const unknown = names.find((name) => !(CLIENT_NAMES as string[]).includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${unknown} is none of ${CLIENT_NAMES.join(", ")}.`);
  return [...new Set(names)] as L1ClientName[];
}

export const clientsScenario = scenario<ClientsOptions>(
  new Command("clients")
    .description("the same rollup on several execution clients")
    .addOption(
      new Option("--l1 <names>", `of ${CLIENT_NAMES.join(", ")}, with commas between them`)
        .default(CLIENT_NAMES, "all")
        .argParser(clientNames),
    )
    .addOption(proverOption())
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
On each client: ${SCENARIOS.join(", ")}.

Hardhat (290 MB) and EthereumJS (110 MB) are not among this repository's dependencies. npm installs them when first wanted, at
one version and without their install scripts, into .cache/l1-clients.

The last line is JSON: {"l1": {CLIENT: {scenarios, passed, batches, blobs, reorganisations, mostGas}}}. It ends with 1 unless all passed.`,
    ),
  async ({ keep, l1, prover }, tell) => {
    const results: Partial<Record<L1ClientName, ClientResult>> = {};
    for (const name of l1) {
      const tellOf = (text: string) => tell(`${name}: ${text}`);
      const result = await play(name, { prover, keep }, tellOf);
      results[name] = result;
      tellOf(`${result.passed} of ${result.scenarios} scenarios passed`);
    }
    const isGood = Object.values(results).every(({ passed, scenarios }) => passed === scenarios);
    return { facts: { l1: results }, lines: [], isGood };
  },
);

async function play(
  l1: L1ClientName,
  { keep, prover }: Omit<ClientsOptions, "l1">,
  tell: (text: string) => void,
): Promise<ClientResult> {
  const counts = { batches: 0, blobs: 0, reorganisations: 0, maxGas: 0 };
  const passed: ScenarioName[] = [];
  const step = async <T>(name: ScenarioName, run: () => Promise<T>): Promise<T> => {
    tell(name);
    const result = await run();
    passed.push(name);
    return result;
  };
  let world: World | null = null;
  const result = (): ClientResult => ({ scenarios: SCENARIOS.length, passed: passed.length, ...counts });
  try {
    world = await createWorld({
      name: l1,
      l1,
      keepIn: keep,
      backend: prover,
      tell,
      // The bridge's own default on this chain, which automine needs.
      ...(l1 === "anvil-automine" ? { confirmations: null } : {}),
      others: [
        await buildCircuit(circuitSpec("leaf-exit"), exitSizes()),
        await buildCircuit(circuitSpec("payee-exit-4"), exitSizes(4)),
        await buildCircuit(circuitSpec(TWIN), sizesOfName(TWIN)),
      ],
      deploy: (rpcUrl, folder) => step("deployment with a new token", () => deployAs(rpcUrl, folder)),
    });
    const played = world;
    played.traffic.start();
    const person = await step("deposits", () => depositor(played));
    await step("forced inclusion", () => forced(person));
    await step("withdrawals", () => withdrawn(played, person));
    counts.reorganisations = await step("reorganisation", () => reorganised(played, tell));
    await step("restart of the sequencer", () => restarted(played));
    counts.batches = await step("verification from L1", () => verified(played, tell));
    Object.assign(counts, await step("gas of every transaction", () => everyTransaction(played)));
    return result();
  } catch (error) {
    const failed = `${SCENARIOS[passed.length]}: ${error instanceof Error ? error.message : String(error)}`;
    tell(failed);
    return { ...result(), failed };
  } finally {
    await world?.stop();
  }
}

/** Deploys with the operator's commands, which estimate, sign and wait as on any chain. */
async function deployAs(rpcUrl: string, folder: string): Promise<Deployment> {
  const operator = join(folder, "operator");
  mkdirSync(operator);
  // As many confirmations as this chain has by default: automine makes one block.
  const l1 = { rpcUrl, chainId: 31337, confirmations: undefined };
  const config = writeConfig(operator, l1, "development");
  const { recordPath } = await commandRunner(operator).run("deploy", "--config", config, "--yes");
  const deployment = loadDeployment(recordPath as string);
  return deployment;
}

/** The users' deposits are in the ledger by now; somebody with a wallet of its own deposits by a permit. */
async function depositor({ l1, sequencerUrl }: World): Promise<LedgerClient> {
  const wallet = drillAccount("customer");
  const { chainId, rollupAddress } = l1.deployment;
  await l1.fund(wallet.address, parseEther("200"));
  const l2Key = await deriveKey({ wallet, chainId, rollupAddress });
  const client = await createLedgerClient({ sequencerUrl, rpcUrl: l1.url, rollupAddress, wallet, l2Key });
  const { queueIndex } = await deposit(client, { amountWei: parseEther("100") });
  await waitFor(client, { queueIndex }, "acknowledged");
  const [leaf] = await findLeaves(client, { keyX: l2Key.keyX });
  return { ...client, leafId: leaf!.id };
}

/** Withdraws through L1's queue, which the sequencer cannot leave out. */
async function forced(person: LedgerClient): Promise<void> {
  await approveToken(person, { amountWei: parseEther("50") });
  const withdrawal = { id: person.leafId!, amountWei: parseEther("10") };
  const { queueIndex } = await force(person, { type: "withdraw", ...withdrawal });
  await paidOut(person, { withdrawal: { queueIndex } }, withdrawal.amountWei);
}

async function withdrawn(world: World, person: LedgerClient): Promise<void> {
  const withdrawal = { amountWei: parseEther("5"), recipient: drillAccount("customer").address };
  const { hash } = await world.patiently(() => withdraw(person, withdrawal));
  await paidOut(person, { withdrawal: { hash } }, withdrawal.amountWei);
}

/** Waits until L1 has the withdrawal's batch, then finalizes it. @throws DRL_UNEXPECTED if another amount comes out */
async function paidOut(person: LedgerClient, target: WaitTarget, expectedWei: bigint): Promise<void> {
  await waitFor(person, target, "finalizable", { timeoutMs: STEP_TIMEOUT_MS });
  const { amountWei } = await finalizeWithdrawal(person);
  if (amountWei !== expectedWei) throw unexpected(`${amountWei} wei were paid out, not ${expectedWei}`);
}

/** Makes reorganisations of up to 32 blocks, with batches and a deposit in them; earlier blocks are long final. */
async function reorganised(world: World, tell: (text: string) => void): Promise<number> {
  await world.l1.node.mine(world.finalityDepthBlocks);
  const context = { progress: tell, random: new TestRandom(1), tries: REORGANISATIONS };
  const [{ problems, recoveriesMs }] = (await reorgFault.inject(world, context)) as [Injected];
  if (problems.length > 0) throw unexpected(problems.join("; "));
  return recoveriesMs.length;
}

async function restarted(world: World): Promise<void> {
  await world.sequencer.stop();
  await world.sequencer.start();
  await world.acknowledgement(performance.now());
  await world.nextBatch();
}

/** Checks that L1 keeps every promise, and that the operator's own command agrees. @returns the number of batches */
async function verified(world: World, tell: (text: string) => void): Promise<number> {
  await world.settle();
  const { batchCount, doubled, lost, problems } = await auditPreconfirmations(world);
  if (lost + doubled + problems.length > 0)
    throw unexpected([`${lost} lost, ${doubled} doubled`, ...problems].join("; "));
  tell(`${world.traffic.acknowledged.length} promises are kept; openledger verify rebuilds the ledger`);
  const { deployment, url } = world.l1;
  const where = ["--rpc", url, "--rollup", deployment.rollupAddress];
  const report = await commandRunner(world.folder).run("verify", ...where);
  if (report.batchCount !== batchCount)
    throw unexpected(`openledger verify counts ${report.batchCount} batches, not ${batchCount}`);
  return batchCount;
}

/** @throws DRL_UNEXPECTED if one has taken more than three quarters of what a transaction may */
async function everyTransaction({ l1: { client } }: World): Promise<{ maxGas: number; blobs: number }> {
  const newest = await client.getBlockNumber();
  let [maxGas, blobs] = [0, 0];
  for (let blockNumber = 1n; blockNumber <= newest; blockNumber++) {
    const { transactions } = await client.getBlock({ blockNumber, includeTransactions: true });
    for (const { blobVersionedHashes = [], hash } of transactions) {
      const { gasUsed } = await client.getTransactionReceipt({ hash });
      if (4n * gasUsed > 3n * MAX_TRANSACTION_GAS) throw unexpected(`${hash} took ${gasUsed} gas`);
      maxGas = Math.max(maxGas, Number(gasUsed));
      blobs += blobVersionedHashes.length;
    }
  }
  return { maxGas, blobs };
}
