/**
 * Plan of a deployment, from its configuration and the chain alone. Nothing is sent here. deploy.ts shows it and deploy-send.ts
 * carries it out; costs are in gas and wei.
 */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { deriveKey } from "@openledger/client/l2-key";
import { compileContracts, compilerInput, pickContract } from "@openledger/contracts/build/compile";
import { deployFailed, type RollupOptions, rollupArguments } from "@openledger/contracts/build/deploy";
import {
  GOVERNANCE_CONTRACTS,
  type GovernanceAddresses,
  type GovernanceOptions,
  governanceArguments,
} from "@openledger/contracts/build/governance";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { readSecretFile } from "@openledger/foundation/secret-file";
import {
  type Abi,
  type Address,
  encodeDeployData,
  getAddress,
  getContractAddress,
  type Hex,
  keccak256,
  type PrivateKeyAccount,
  type PublicClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { operatorError } from "../../../cli/operator-errors.ts";
import type { DeployConfig } from "./deploy-config.ts";
import { readJournal, requireSamePlan } from "./deploy-journal.ts";
import type { CheckedCircuit } from "./deploy-keys.ts";
import { STAND_IN, withStandIn } from "./stand-in.ts";
import { requireOpenToken } from "./token-code.ts";

type StepName = "OpenToken" | "Rollup" | "PreconfirmationBond" | (typeof GOVERNANCE_CONTRACTS)[number];

export interface DeployStep {
  readonly name: StepName;
  readonly nonce: number;
  /** Address of the contract, deployed or not. */
  readonly address: Address;
  readonly abi: Abi;
  readonly args: readonly unknown[];
  /** Creation code with the arguments. */
  readonly data: Hex;
  /** Ether that the constructor gets. */
  readonly valueWei: bigint;
  readonly isDone: boolean;
  /** Gas of the step; 0 if it is done. */
  readonly gas: bigint;
}

export interface DeployPlan {
  readonly deployer: PrivateKeyAccount;
  readonly steps: readonly DeployStep[];
  readonly tokenAddress: Address;
  readonly rollupAddress: Address;
  /** null without a bond. */
  readonly bondAddress: Address | null;
  /** null if nobody votes. */
  readonly governance: (GovernanceAddresses & { readonly options: GovernanceOptions }) | null;
  readonly rollup: RollupOptions & { readonly genesisRoot: bigint };
  readonly supplyWei: bigint;
  readonly firstNonce: number;
  /** Facts that must be equal when the deployment is started again; the journal has them. */
  readonly fingerprint: Readonly<Record<string, string>>;
  readonly contractsHash: string;
}

/** Supply that a new token mints; the contract says so, and a test compares. */
const NEW_TOKEN_SUPPLY_WEI = 10n ** 27n;

/**
 * @throws CMD_DEPLOY_REFUSED (a key file holds no key),
 * CMD_DEPLOY_FAILED, CIR_SECRET_FILE_…, CON_DEPLOY_FAILED if a constructor refuses its arguments
 */
export async function planDeployment(
  config: DeployConfig,
  circuits: readonly CheckedCircuit[],
  client: PublicClient,
): Promise<DeployPlan> {
  const chainId = await client.getChainId();
  if (chainId !== config.l1.chainId) {
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `the node is of chain ${chainId}, the configuration of chain ${config.l1.chainId}`,
      { data: { reason: "wrong-chain", node: chainId, config: config.l1.chainId } },
    );
  }
  await initPoseidon();
  const deployer = accountOf(config.deployerKeyFile, "deployerKeyFile");
  const journal = readJournal(config.out);
  const firstNonce =
    journal?.firstNonce ??
    (await client.getTransactionCount({ address: deployer.address, blockTag: "pending" }));
  const isNewToken = "holder" in config.token;
  const created = (nonce: number) => getContractAddress({ from: deployer.address, nonce: BigInt(nonce) });
  const tokenAddress = "existing" in config.token ? config.token.existing : created(firstNonce);
  // The token, timelock and governor, the rollup whose treasury they own, and the registry that begins with it.
  const nextNonce = firstNonce + (isNewToken ? 1 : 0);
  const isGoverned = config.governance !== undefined;
  const rollupNonce = nextNonce + (isGoverned ? 2 : 0);
  const rollupAddress = created(rollupNonce);
  const bondNonce = rollupNonce + (isGoverned ? 2 : 1);
  const governance = governanceOf(config, {
    timelock: created(nextNonce),
    governor: created(nextNonce + 1),
    registry: created(rollupNonce + 1),
  });
  const treasuryOwner = governance?.timelock ?? config.treasuryOwner!;
  const operator = await operatorOf(config, chainId, rollupAddress);
  const activation = { treasuryOwner: BigInt(treasuryOwner), operatorOwner: BigInt(operator.address) };
  const { root } = genesisLedger({ ...activation, operatorKeyX: operator.keyX });
  const rollup = {
    sequencer: operator.address,
    genesisRoot: root,
    treasuryOwner,
    operatorOwner: operator.address,
    operatorKeyX: operator.keyX,
    idFeeWei: config.idFeeWei,
    minDepositWei: config.minDepositWei,
    queueBaseFeeWei: config.queueBaseFeeWei,
    queueCapacity: config.queueCapacity,
    circuits: circuits.map((circuit) => circuit.config),
  };
  const [contracts, voting, bonding, { contentHash: contractsHash }, firstBlock] = await Promise.all([
    compileContracts(),
    isGoverned ? compileContracts({ set: "governance" }) : {},
    config.bondWei === undefined ? {} : compileContracts({ set: "bond" }),
    compilerInput(),
    client.getBlock({ blockNumber: 0n }),
  ]);
  const describe = (name: StepName, nonce: number, args: readonly unknown[]) => {
    const isOfRollup = name === "OpenToken" || name === "Rollup";
    const set = isOfRollup ? contracts : name === "PreconfirmationBond" ? bonding : voting;
    const { abi, bytecode } = pickContract(set, name);
    return {
      name,
      nonce,
      address: created(nonce),
      abi,
      args,
      data: encodeDeployData({ abi, bytecode, args }),
      valueWei: name === "PreconfirmationBond" ? config.bondWei! : 0n,
    };
  };
  const describeGovernance = (token: Address, itsRollup: Address) => {
    if (governance === null) return [];
    const args = governanceArguments(governance.options, {
      ...governance,
      token,
      rollup: itsRollup,
      contractsHash,
    });
    const nonces = [nextNonce, nextNonce + 1, rollupNonce + 1];
    return GOVERNANCE_CONTRACTS.map((name, i) => describe(name, nonces[i]!, args[name]));
  };
  const plannedSteps = [
    ...("holder" in config.token ? [describe("OpenToken", firstNonce, [config.token.holder])] : []),
    ...describeGovernance(tokenAddress, rollupAddress).slice(0, 2),
    describe("Rollup", rollupNonce, rollupArguments(tokenAddress, rollup)),
    ...describeGovernance(tokenAddress, rollupAddress).slice(2),
    ...(config.bondWei === undefined ? [] : [describe("PreconfirmationBond", bondNonce, [rollupAddress])]),
  ];
  const fingerprint = {
    chainId: String(chainId),
    firstBlock: firstBlock.hash,
    deployer: deployer.address,
    ...Object.fromEntries(plannedSteps.map(({ data, name }) => [name, keccak256(data)])),
    ...(config.bondWei === undefined ? {} : { bondWei: config.bondWei.toString() }),
  };
  if (journal !== null) requireSamePlan(config.out, journal, fingerprint);
  let supplyWei = NEW_TOKEN_SUPPLY_WEI;
  if (!isNewToken) {
    await requireOpenToken(client, tokenAddress);
    const token = { address: tokenAddress, abi: openTokenAbi } as const;
    supplyWei = await client.readContract({ ...token, functionName: "totalSupply" });
  }
  const steps: DeployStep[] = [];
  const balanceWei = await client.getBalance({ address: deployer.address });
  let isTokenThere = !isNewToken;
  let isRollupThere = false;
  const standIns = describeGovernance(STAND_IN, STAND_IN);
  for (const step of plannedSteps) {
    const isDone = (await client.getCode({ address: step.address })) !== undefined;
    let standInStep: typeof step | undefined;
    if (step.name === "Rollup" && !isTokenThere)
      standInStep = describe("Rollup", step.nonce, rollupArguments(STAND_IN, rollup));
    else if (step.name === "OpenGovernor" && !isTokenThere) standInStep = standIns[1];
    else if (step.name === "RollupRegistry" && !isRollupThere) standInStep = standIns[2];
    else if (step.name === "PreconfirmationBond" && !isRollupThere)
      standInStep = describe("PreconfirmationBond", step.nonce, [STAND_IN]);
    // Anyone who asks the stand-in gets the supply, or where that is no clock and no address, 1.
    const answer = standInStep === undefined ? null : step.name === "Rollup" ? NEW_TOKEN_SUPPLY_WEI : 1n;
    // A deployer that cannot pay the bond yet gets the estimate without it.
    const canPay = balanceWei >= step.valueWei;
    const priced = { ...(standInStep ?? step), valueWei: canPay ? step.valueWei : 0n };
    const gas = isDone ? 0n : await estimate(client, deployer.address, priced, answer);
    steps.push({ ...step, isDone, gas });
    if (step.name === "OpenToken") isTokenThere = isDone;
    if (step.name === "Rollup") isRollupThere = isDone;
  }
  return {
    deployer,
    steps,
    tokenAddress: getAddress(tokenAddress),
    rollupAddress: getAddress(rollupAddress),
    bondAddress: config.bondWei === undefined ? null : getAddress(created(bondNonce)),
    governance,
    rollup,
    supplyWei,
    firstNonce,
    fingerprint,
    contractsHash,
  };
}

/** @throws CON_DEPLOY_FAILED with the constructor's own error */
async function estimate(
  client: PublicClient,
  account: Address,
  step: Pick<DeployStep, "name" | "abi" | "args" | "data" | "valueWei">,
  standInAnswer: bigint | null,
): Promise<bigint> {
  // Making the stand-in takes more than the token's storage and account, which it has not.
  const data = standInAnswer === null ? step.data : withStandIn(step.data, standInAnswer);
  try {
    // A call first: nodes name the constructor's error in its answer.
    await client.call({ account, data, value: step.valueWei });
    return await client.estimateGas({ account, data, value: step.valueWei });
  } catch (error) {
    throw deployFailed(step.name, error, step);
  }
}

function governanceOf({ governance }: DeployConfig, at: GovernanceAddresses): DeployPlan["governance"] {
  if (governance === undefined) return null;
  const { delayDays, proposalThreshold: proposalThresholdWei, ...rest } = governance;
  const checksummed = {
    timelock: getAddress(at.timelock),
    governor: getAddress(at.governor),
    registry: getAddress(at.registry),
  };
  const options = { ...rest, proposalThresholdWei, delaySeconds: BigInt(delayDays) * 86_400n };
  return { ...checksummed, options };
}

async function operatorOf(
  config: DeployConfig,
  chainId: number,
  rollupAddress: Address,
): Promise<{ readonly address: Address; readonly keyX: bigint }> {
  if ("address" in config.operator) return config.operator;
  const wallet = accountOf(config.operator.keyFile, "operator.keyFile");
  // The key that every command derives from the wallet: `openledger … --private-key-file` then signs for leaf 1.
  const { keyX } = await deriveKey({ wallet, chainId, rollupAddress });
  return { address: wallet.address, keyX };
}

function accountOf(path: string, field: string): PrivateKeyAccount {
  const text = readSecretFile(path);
  if (!/^0x[0-9a-fA-F]{64}$/.test(text))
    throw operatorError("CMD_DEPLOY_REFUSED", `${field}: ${path} does not hold 0x and 64 hex digits`, {
      data: { reason: "config-invalid", fields: [field] },
    });
  return privateKeyToAccount(text as Hex);
}
