/**
 * Deploys the rollup's contracts (`openledger deploy`): checks and describes everything first, and sends nothing before somebody
 * has agreed.
 */

import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { unusualParameters } from "@openledger/contracts/build/rollup-parameters";
import { cappedFees } from "@openledger/contracts/l1/capped-transaction";
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { paddedGas } from "@openledger/contracts/l1/fee-policy";
import type { Contribution } from "@openledger/prover/keys/contributions";
import { createPublicClient, formatEther, http, type PublicClient } from "viem";
import { operatorError } from "../../../cli/operator-errors.ts";
import { dataSourcesOf } from "./data-sources.ts";
import { type DeployConfig, loadDeployConfig } from "./deploy-config.ts";
import { type CheckedCircuit, checkKeys } from "./deploy-keys.ts";
import { writeRecord, writeVerification } from "./deploy-output.ts";
import { type DeployPlan, planDeployment } from "./deploy-plan.ts";
import { sendDeployment } from "./deploy-send.ts";

/** Two days: a forced withdrawal is due after one, and has to be paid out. */
const BLOCKS_TO_WITHDRAW = 14_400;

interface DeployCost {
  readonly gas: bigint;
  /** Cost at the node's present gas price. */
  readonly nowWei: bigint;
  /** Cost if fees rise to the cap and all gas limits are used. */
  readonly maxWei: bigint;
  readonly balanceWei: bigint;
}

interface PreparedDeployment {
  readonly config: DeployConfig;
  readonly circuits: readonly CheckedCircuit[];
  readonly plan: DeployPlan;
  readonly cost: DeployCost;
  /** Warnings about settings that few would expect, and about missing parts. */
  readonly warnings: readonly string[];
  readonly client: PublicClient;
}

interface DeployResult {
  readonly recordPath: string;
  readonly verificationFolder: string;
  readonly gasUsed: bigint;
  readonly costWei: bigint;
}

/** Prepares a dry run. @throws what loading, checking and planning throw */
export async function prepareDeployment(
  configPath: string,
  tell: (text: string) => void,
): Promise<PreparedDeployment> {
  const config = loadDeployConfig(configPath);
  const client: PublicClient = createPublicClient({
    transport: http(config.l1.rpcUrl, { timeout: 60_000 }),
    cacheTime: 0,
  });
  const circuits = await checkKeys(config, tell);
  const plan = await planDeployment(config, circuits, client);
  const [{ market }, balanceWei] = await Promise.all([
    cappedFees(client, config.spendingCap),
    client.getBalance({ address: plan.deployer.address }),
  ]);
  const gas = plan.steps.reduce((sum, step) => sum + step.gas, 0n);
  const limits = plan.steps.reduce((sum, step) => sum + paddedGas(step.gas), 0n);
  const cost = {
    gas,
    nowWei: gas * (market.baseFeePerGasWei + market.priorityFeePerGasWei),
    maxWei: limits * config.spendingCap.maxFeePerGasWei,
    balanceWei,
  };
  return { config, circuits, plan, cost, warnings: warningsOf(config, circuits, plan), client };
}

/** Sends the missing contracts, and writes the folder. @throws CMD_DEPLOY_REFUSED, and what `sendDeployment` throws */
export async function carryOut(
  { circuits, client, config, cost, plan }: PreparedDeployment,
  tell: (text: string) => void,
): Promise<DeployResult> {
  // Balance for 1.5 times the present fees. The caps alone would require a fortune that is never spent.
  const bondWei = plan.steps.reduce((sum, { isDone, valueWei }) => (isDone ? sum : sum + valueWei), 0n);
  const neededWei = (cost.nowWei * 3n) / 2n + bondWei;
  if (cost.balanceWei < neededWei) {
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `${plan.deployer.address} holds ${formatEther(cost.balanceWei)} ETH, and should hold ${formatEther(neededWei)}`,
      {
        data: { reason: "no-ether", deployer: plan.deployer.address, balanceWei: cost.balanceWei, neededWei },
      },
    );
  }
  const receipts = await sendDeployment(config, plan, client, tell);
  const rollupBlock = await client.getBlock({ blockHash: receipts.Rollup!.blockHash });
  const recordPath = await writeRecord(config, circuits, plan, rollupBlock);
  const verificationFolder = await writeVerification(config, plan, receipts);
  const all = Object.values(receipts);
  return {
    recordPath,
    verificationFolder,
    gasUsed: all.reduce((sum, { gasUsed }) => sum + gasUsed, 0n),
    costWei: all.reduce((sum, { effectiveGasPrice, gasUsed }) => sum + gasUsed * effectiveGasPrice, 0n),
  };
}

function describeGovernance({ options, registry }: NonNullable<DeployPlan["governance"]>): string[] {
  const { delaySeconds, proposalThresholdWei, quorumPercent, votingDelayBlocks, votingPeriodBlocks } =
    options;
  return [
    `  votes       no decision sooner than 30 days after it was queued (${delaySeconds / 86_400n} days now); registry ${registry}`,
    "",
    "what votes can change, as slowly as everything else:",
    `  rules       ${votingDelayBlocks} blocks until votes count, ${votingPeriodBlocks} to vote, ${formatOpen(proposalThresholdWei)} OPEN to propose, ${quorumPercent} % quorum`,
    "  the delay, never below 30 days; who proposes; where the treasury's OPEN goes; which rollup is named next",
  ];
}

function warningsOf(config: DeployConfig, circuits: readonly CheckedCircuit[], plan: DeployPlan): string[] {
  const { idFeeWei, minDepositWei, queueBaseFeeWei, queueCapacity } = config;
  const warnings = unusualParameters({
    idFeeWei,
    minDepositWei,
    queueBaseFeeWei,
    queueCapacity,
    supplyWei: plan.supplyWei,
  });
  const sizes = circuits.map((circuit) => circuit.config);
  const payeesOf = (sort: number) =>
    Math.max(0, ...sizes.filter((one) => one.sort === sort).map((one) => one.size1));
  const exitPayees = payeesOf(CIRCUIT_SORT.exit);
  const settledPayees = Math.max(payeesOf(CIRCUIT_SORT.settlement), payeesOf(CIRCUIT_SORT.payeeTable));
  const isLeafExit = config.circuits.includes("leaf-exit");
  if (circuits[0]!.config.sort !== CIRCUIT_SORT.batch)
    warnings.push("the first circuit proves no batches: no sequencer can run");
  if (!isLeafExit || exitPayees === 0)
    warnings.push("without a leaf-exit and a payee-exit circuit the ledger can never be frozen and left");
  else if (settledPayees > exitPayees)
    warnings.push(`settlements have ${settledPayees} payees, exits ${exitPayees}: some could not leave`);
  const loss = dataSourcesOf(sizes)?.loss ?? null;
  if (loss !== null) warnings.push(`without the twin of ${circuits[0]!.record.name} ${loss}`);
  if (circuits.some((circuit) => circuit.record.isDevelopment))
    warnings.push("DEVELOPMENT KEYS: their secrets are public, anyone can forge every proof of this rollup");
  const { governance } = config;
  if (governance !== undefined && governance.votingDelayBlocks < BLOCKS_TO_WITHDRAW)
    warnings.push(
      `votes count ${governance.votingDelayBlocks} blocks after a proposal: holders who have to withdraw OPEN by force first may be too late`,
    );
  if (plan.deployer.address === plan.rollup.sequencer && config.l1.chainId !== DEVNET_CHAIN_ID)
    warnings.push(
      "the deployer's key is the operator's: a deployer needs no rights afterwards, use two keys",
    );
  return warnings;
}

function describeCeremony(contributions: readonly Contribution[]): string {
  const people = contributions.filter(({ beacon }) => beacon === null);
  const end = contributions.at(-1)!.beacon;
  const beacon = end === null ? "no beacon" : `the beacon ${end.hex}`;
  return `contributions by ${people.map(({ name }) => name).join(", ")}, and ${beacon}; verified`;
}

/** Describes for people what the deployment will do, what it costs and what can never be changed. */
export function describeDeployment({ circuits, config, cost, plan, warnings }: PreparedDeployment): string[] {
  const { deployer, rollup } = plan;
  const eth = (wei: bigint) => `${formatEther(wei)} ETH`;
  const sources = dataSourcesOf(circuits.map((circuit) => circuit.config));
  const token = "holder" in config.token ? `new, all of it to ${config.token.holder}` : "exists";
  return [
    `deployment on chain ${config.l1.chainId} by ${deployer.address}`,
    "",
    "what it does:",
    ...plan.steps.map(
      ({ address, gas, isDone, name, nonce }) =>
        `  ${name} at ${address}: ${isDone ? "is there already" : `${gas} gas, nonce ${nonce}`}`,
    ),
    `  record, journal and sources into ${config.out}`,
    "",
    "what it costs:",
    `  ${cost.gas} gas, ${eth(cost.nowWei)} at what the node asks now; the caps allow ${eth(cost.maxWei)}`,
    `  ${deployer.address} holds ${eth(cost.balanceWei)}`,
    "",
    "what can never be changed (there is no owner, no pause and no upgrade):",
    `  token       ${plan.tokenAddress} (${token}; ${formatOpen(plan.supplyWei)} OPEN, never more)`,
    `  sequencer   ${rollup.sequencer}: whose batches are taken, and whose preconfirmations count`,
    `  treasury    ${rollup.treasuryOwner} owns leaf 0${plan.governance === null ? "" : ": the timelock that votes act through"}`,
    config.bondWei === undefined
      ? "  bond        none: a sequencer that signs twice loses nothing"
      : `  bond        ${eth(config.bondWei)} in ${plan.bondAddress}: two preconfirmations of one place take it; the sequencer takes it back 45 days after it has said so`,
    `  fees        ${rollup.operatorOwner} owns leaf 1, ledger key ${`0x${rollup.operatorKeyX.toString(16)}`}`,
    `  amounts     id ${formatOpen(config.idFeeWei)}, least deposit ${formatOpen(config.minDepositWei)}, queue from ${formatOpen(config.queueBaseFeeWei)} OPEN; ${config.queueCapacity} entries`,
    ...circuits.map(
      ({ contributions, record }) =>
        `  circuit     ${record.name}: ${contributions === null ? "DEVELOPMENT KEY" : describeCeremony(contributions)}`,
    ),
    ...(sources === null ? [] : [`  data        ${sources.text}`]),
    ...(plan.governance === null ? [] : describeGovernance(plan.governance)),
    ...(warnings.length === 0 ? [] : ["", "warnings:", ...warnings.map((text) => `  ${text}`)]),
  ];
}
