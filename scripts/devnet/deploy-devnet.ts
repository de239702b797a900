import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { type Deployment, encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { keyFromSecret } from "@openledger/client/l2-key";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { compileContracts, compilerInput, pickContract } from "@openledger/contracts/build/compile";
import { deployContract, deployRollup } from "@openledger/contracts/build/deploy";
import { deployGateOfAllKinds } from "@openledger/contracts/build/deploy-disputes";
import { GOVERNANCE_CONTRACTS, governanceArguments } from "@openledger/contracts/build/governance";
import { type CircuitConfig, computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import {
  type Address,
  createPublicClient,
  createWalletClient,
  getAddress,
  getContractAddress,
  http,
  keccak256,
  stringToHex,
} from "viem";
import { foundry } from "viem/chains";
import { workspacePaths } from "../cli/workspace.ts";
import { devAccount } from "./accounts.ts";
import type { DevnetCircuit } from "./circuits.ts";
import { DISPUTES, GOVERNANCE, ID_FEE_WEI, MIN_DEPOSIT_WEI, QUEUE_BASE_FEE_WEI } from "./config.ts";
import type { Console } from "./console.ts";
import { devnetError } from "./devnet-errors.ts";
import { withInstantBlocks } from "./l1-node.ts";
import type { DevnetPlan } from "./plan.ts";

/** The key of the operator's fee account, as public as every key of the devnet. */
const operatorKey = () => keyFromSecret(keccak256(stringToHex("OpenLedger devnet operator")));

/**
 * The devnet's rollup: the one that is there, with the node's current address, or a new one.
 * @throws DEV_CIRCUIT_CHANGED, DEV_STATE_LOST
 */
export async function deployDevnet(
  rpcUrl: string,
  circuits: readonly DevnetCircuit[],
  { plan, console }: { plan: DevnetPlan; console: Console },
): Promise<Deployment> {
  const deployment =
    readIfPresent(workspacePaths.deployment) === null
      ? await withInstantBlocks(rpcUrl, () => deployNew(rpcUrl, circuits, { plan, console }))
      : await reuse(rpcUrl, circuits, console);
  await writeFileWhole(workspacePaths.deployment, encodeDeployment(deployment));
  return deployment;
}

async function reuse(
  rpcUrl: string,
  circuits: readonly DevnetCircuit[],
  console: Console,
): Promise<Deployment> {
  const deployment = loadDeployment(workspacePaths.deployment);
  for (const [i, { compiled }] of circuits.entries()) {
    if (deployment.circuits[i]?.contentHash === compiled.contentHash) continue;
    throw devnetError(
      "DEV_CIRCUIT_CHANGED",
      `the devnet's rollup was deployed with another circuit than ${compiled.name} is now`,
    );
  }
  if (deployment.circuits.length > circuits.length)
    throw devnetError(
      "DEV_CIRCUIT_CHANGED",
      "the devnet's rollup has more circuits than this start: was it begun with --direct, or with --blobs?",
    );
  const client = createPublicClient({ transport: http(rpcUrl) });
  if ((await client.getCode({ address: deployment.rollupAddress })) === undefined) {
    throw devnetError("DEV_STATE_LOST", `the saved chain has no contract at ${deployment.rollupAddress}`);
  }
  console.done(
    `rollup ${deployment.rollupAddress}, deployed in block ${deployment.deployedAtBlock} by an earlier start`,
  );
  return {
    ...deployment,
    rpcUrl,
    circuits: deployment.circuits.map((deployed, i) => ({ ...deployed, ...keyPaths(circuits[i]!) })),
  };
}

async function deployNew(
  rpcUrl: string,
  circuits: readonly DevnetCircuit[],
  { plan, console }: { plan: DevnetPlan; console: Console },
): Promise<Deployment> {
  const startedAtMs = Date.now();
  await initPoseidon();
  const transport = http(rpcUrl);
  const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 200 });
  const walletClient = createWalletClient({ chain: foundry, transport, account: devAccount("faucet") });
  const genesisGate =
    plan.direct === undefined ? null : await deployGate({ publicClient, walletClient }, plan, console);
  const { keyX: operatorKeyX } = await operatorKey();
  const operatorOwner = devAccount("operator").address;
  // Token, rollup, and the contracts of votes: the treasury's owner is known before it is there.
  const firstNonce = await publicClient.getTransactionCount({ address: walletClient.account.address });
  const [timelock, governor, registry] = [2, 3, 4].map((i) =>
    getContractAddress({ from: walletClient.account.address, nonce: BigInt(firstNonce + i) }),
  ) as [Address, Address, Address];
  const treasuryOwner = timelock;
  const { root } = genesisLedger({
    treasuryOwner: BigInt(treasuryOwner),
    operatorOwner: BigInt(operatorOwner),
    operatorKeyX,
  });
  const configs = circuits.map(
    ({ sizes, key }): CircuitConfig => ({
      ...sizes,
      isDevelopment: true,
      key: toSolidityKey(key.verificationKey),
    }),
  );
  const deployed = await deployRollup({
    walletClient,
    publicClient,
    sequencer: operatorOwner,
    genesisRoot: root,
    treasuryOwner,
    operatorOwner,
    operatorKeyX,
    circuits: configs,
    idFeeWei: ID_FEE_WEI,
    minDepositWei: MIN_DEPOSIT_WEI,
    queueBaseFeeWei: QUEUE_BASE_FEE_WEI,
    ...(genesisGate === null ? {} : { genesisGate }),
  });
  const { token, rollup, gas } = deployed;
  const votes = await compileContracts({ set: "governance" });
  const { contentHash: contractsHash } = await compilerInput();
  const addresses = { timelock, governor, registry };
  const args = governanceArguments(GOVERNANCE, { ...addresses, token, rollup, contractsHash });
  for (const name of GOVERNANCE_CONTRACTS)
    await deployContract({ walletClient, publicClient }, name, pickContract(votes, name), args[name]);
  const elapsedMs = Date.now() - startedAtMs;
  console.done(`token ${token}, ${gas.token.toLocaleString("en")} gas`);
  console.done(
    `rollup ${rollup}, ${gas.rollup.toLocaleString("en")} gas, block ${deployed.blockNumber}`,
    elapsedMs,
  );
  console.done(`votes: governor ${governor}, and its timelock owns the treasury`);
  return {
    chainId: foundry.id,
    rpcUrl,
    tokenAddress: getAddress(token),
    rollupAddress: getAddress(rollup),
    deployedAtBlock: Number(deployed.blockNumber),
    domain: ledgerDomain(foundry.id, rollup),
    genesis: { treasuryOwner, operatorOwner, operatorKeyX, root },
    idFeeWei: ID_FEE_WEI,
    governance: addresses,
    circuits: circuits.map((circuit, i) => ({
      name: circuit.compiled.name,
      ...circuit.sizes,
      circuitId: computeCircuitId(configs[i]!),
      isDevelopment: true,
      contentHash: circuit.compiled.contentHash,
      ...keyPaths(circuit),
    })),
  };
}

/** What a rollup with direct models asks before every genesis. */
async function deployGate(
  clients: Parameters<typeof deployGateOfAllKinds>[0],
  plan: DevnetPlan,
  console: Console,
): Promise<Address> {
  const startedAtMs = Date.now();
  const gate = await deployGateOfAllKinds(clients, DISPUTES, plan.settlement.rows);
  console.done(`gate ${gate}, with a contract of disputes for each kind of models`, Date.now() - startedAtMs);
  return gate;
}

function keyPaths({ compiled: { wasmPath }, key: { verificationKeyPath, zkeyPath } }: DevnetCircuit) {
  return { zkeyPath, wasmPath, verificationKeyPath };
}
