/**
 * Deploys the devnet's token, rollup and governance to its local Ethereum, or finds those of an earlier start. devnet.ts calls
 * it.
 */
import { type Deployment, encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { keyFromSecret } from "@openledger/client/l2-key";
import { compileContracts, compilerInput, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { GOVERNANCE_CONTRACTS, governanceArguments } from "@openledger/contracts/build/governance";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { workspacePaths } from "@openledger/scripts/cli/workspace";
import {
  type Address,
  createPublicClient,
  createWalletClient,
  formatEther,
  getContractAddress,
  http,
  keccak256,
  stringToHex,
} from "viem";
import { foundry } from "viem/chains";
import { deployLedger, recordOf } from "../world/deploy-ledger.ts";
import { devAccount } from "./accounts.ts";
import { type DevnetCircuit, hasJoint } from "./circuits.ts";
import { BOND_WEI, GOVERNANCE, ID_FEE_WEI, MIN_DEPOSIT_WEI, QUEUE_BASE_FEE_WEI } from "./config.ts";
import type { Console } from "./console.ts";
import { devnetError } from "./devnet-errors.ts";

/** The key of the operator's fee account, as public as every key of the devnet. */
const operatorKey = () => keyFromSecret(keccak256(stringToHex("OpenLedger devnet operator")));

/**
 * The devnet's rollup: the one that is there, with the node's current address, or a new one.
 * @throws DEV_STATE_LOST
 */
export async function deployDevnet(
  rpcUrl: string,
  circuits: readonly DevnetCircuit[],
  console: Console,
): Promise<Deployment> {
  const deployment =
    readIfPresent(workspacePaths.deployment) === null
      ? await deployNew(rpcUrl, circuits, console)
      : await reuse(rpcUrl, circuits, console);
  await writeFileWhole(workspacePaths.deployment, encodeDeployment(deployment));
  return deployment;
}

/** Returns true if the rollup of an earlier start settles direct models of several Datanets. @throws as `loadDeployment` */
export function hasJointCircuits(): boolean {
  if (readIfPresent(workspacePaths.deployment) === null) return false;
  return hasJoint(loadDeployment(workspacePaths.deployment).circuits);
}

async function reuse(
  rpcUrl: string,
  circuits: readonly DevnetCircuit[],
  console: Console,
): Promise<Deployment> {
  const deployment = loadDeployment(workspacePaths.deployment);
  for (const [i, { compiled }] of circuits.entries()) {
    if (deployment.circuits[i]?.contentHash === compiled.contentHash) continue;
    if (!deployment.circuits.some(({ name }) => name === compiled.name))
      throw devnetError(
        "DEV_STATE_LOST",
        `the devnet's rollup was deployed without circuit ${compiled.name}: by an earlier version, or without --joint`,
        { data: { reason: "circuit-changed" } },
      );
    throw devnetError(
      "DEV_STATE_LOST",
      `the devnet's rollup was deployed with another version of circuit ${compiled.name}`,
      { data: { reason: "circuit-changed" } },
    );
  }
  if (deployment.circuits.length > circuits.length)
    throw devnetError("DEV_STATE_LOST", "the devnet's rollup has more circuits than this version deploys", {
      data: { reason: "circuit-changed" },
    });
  const client = createPublicClient({ transport: http(rpcUrl) });
  if ((await client.getCode({ address: deployment.rollupAddress })) === undefined) {
    throw devnetError("DEV_STATE_LOST", `the saved chain has no contract at ${deployment.rollupAddress}`);
  }
  const { deployedAtBlock, deployedIn } = deployment;
  const block = await client.getBlock({ blockNumber: BigInt(deployedAtBlock) }).catch(() => null);
  if (deployedIn !== undefined && block?.hash !== deployedIn.blockHash)
    throw devnetError(
      "DEV_STATE_LOST",
      `the saved chain has another block ${deployedAtBlock} than the rollup's deployment`,
    );
  console.done(
    `rollup ${deployment.rollupAddress}, deployed in block ${deployment.deployedAtBlock} by an earlier start`,
  );
  return {
    ...deployment,
    rpcUrl,
    circuits: deployment.circuits.map((deployed, i) => ({ ...deployed, ...recordOf(circuits[i]!) })),
  };
}

async function deployNew(
  rpcUrl: string,
  circuits: readonly DevnetCircuit[],
  console: Console,
): Promise<Deployment> {
  const startedAtMs = Date.now();
  const transport = http(rpcUrl);
  const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 50 });
  const walletClient = createWalletClient({ chain: foundry, transport, account: devAccount("faucet") });
  // Token, rollup, and the contracts of votes: the treasury's owner is known before it is there.
  const firstNonce = await publicClient.getTransactionCount({ address: walletClient.account.address });
  const [timelock, governor, registry] = [2, 3, 4].map((i) =>
    getContractAddress({ from: walletClient.account.address, nonce: BigInt(firstNonce + i) }),
  ) as [Address, Address, Address];
  const { deployment, gas } = await deployLedger(circuits, {
    chain: foundry,
    rpcUrl,
    walletClient,
    publicClient,
    treasuryOwner: timelock,
    operatorOwner: devAccount("operator").address,
    operatorKeyX: (await operatorKey()).keyX,
    idFeeWei: ID_FEE_WEI,
    minDepositWei: MIN_DEPOSIT_WEI,
    queueBaseFeeWei: QUEUE_BASE_FEE_WEI,
  });
  const { deployedAtBlock, rollupAddress: rollup, tokenAddress: token } = deployment;
  const votes = await compileContracts({ set: "governance" });
  const { contentHash: contractsHash } = await compilerInput();
  const addresses = { timelock, governor, registry };
  const args = governanceArguments(GOVERNANCE, { ...addresses, token, rollup, contractsHash });
  for (const name of GOVERNANCE_CONTRACTS)
    await deployContract({ walletClient, publicClient }, name, pickContract(votes, name), args[name]);
  const bonding = await compileContracts({ set: "bond" });
  const { contractAddress: bond } = await deployContract(
    { walletClient, publicClient },
    "PreconfirmationBond",
    pickContract(bonding, "PreconfirmationBond"),
    [rollup],
    BOND_WEI,
  );
  const elapsedMs = Date.now() - startedAtMs;
  console.done(`token ${token}, ${gas.token.toLocaleString("en")} gas`);
  console.done(
    `rollup ${rollup}, ${gas.rollup.toLocaleString("en")} gas, block ${deployedAtBlock}`,
    elapsedMs,
  );
  console.done(`votes: governor ${governor}, and its timelock owns the treasury`);
  console.done(`the sequencer's bond ${bond}: ${formatEther(BOND_WEI)} ETH`);
  return { ...deployment, governance: addresses, bond };
}
