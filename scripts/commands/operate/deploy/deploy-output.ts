/**
 * Writes the files that `openledger deploy` leaves in its folder: the deployment record, and the sources in the form that
 * explorers verify.
 */
import { join } from "node:path";
import { type Deployment, encodeDeployment } from "@openledger/circuits/registry/deployment";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { compilerInput, compilerVersion } from "@openledger/contracts/build/compile";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { type Block, encodeDeployData, type Hash } from "viem";
import type { DeployConfig } from "./deploy-config.ts";
import type { CheckedCircuit } from "./deploy-keys.ts";
import type { DeployPlan } from "./deploy-plan.ts";
import type { Receipts } from "./deploy-send.ts";

/** @returns the path of the record */
export async function writeRecord(
  config: DeployConfig,
  circuits: readonly CheckedCircuit[],
  plan: DeployPlan,
  rollupBlock: Pick<Block, "timestamp"> & { readonly number: bigint; readonly hash: Hash },
): Promise<string> {
  const { genesisRoot: root, operatorKeyX, operatorOwner, treasuryOwner } = plan.rollup;
  const record: Deployment = {
    chainId: config.l1.chainId,
    rpcUrl: config.l1.rpcUrl,
    tokenAddress: plan.tokenAddress,
    rollupAddress: plan.rollupAddress,
    deployedAtBlock: Number(rollupBlock.number),
    deployedIn: { blockHash: rollupBlock.hash, timestamp: Number(rollupBlock.timestamp) },
    domain: ledgerDomain(config.l1.chainId, plan.rollupAddress),
    genesis: { treasuryOwner, operatorOwner, operatorKeyX, root },
    idFeeWei: config.idFeeWei,
    contractsHash: plan.contractsHash,
    ...(plan.governance === null ? {} : { governance: addressesOf(plan.governance) }),
    ...(plan.bondAddress === null ? {} : { bond: plan.bondAddress }),
    circuits: circuits.map((circuit) => circuit.record),
  };
  const path = join(config.out, "deployment.json");
  // An address of an Ethereum node often has a password in it.
  await writeFileWhole(path, encodeDeployment(record), { mode: 0o600 });
  return path;
}

/**
 * Standard JSON input, and for each contract its name, address, compiler and constructor arguments: what every explorer
 * asks for.
 *
 * @returns the folder
 */
export async function writeVerification(
  config: DeployConfig,
  plan: DeployPlan,
  receipts: Receipts,
): Promise<string> {
  const folder = join(config.out, "verification");
  const write = (name: string, value: object) =>
    writeFileWhole(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  const { input } = await compilerInput();
  const compiler = compilerVersion();
  await write("standard-input.json", input);
  if (plan.governance !== null)
    await write("standard-input-governance.json", (await compilerInput("governance")).input);
  if (plan.bondAddress !== null) await write("standard-input-bond.json", (await compilerInput("bond")).input);
  for (const { abi, address, args, name } of plan.steps) {
    await write(`${name}.json`, {
      address,
      chainId: config.l1.chainId,
      contractName: `contracts/${folderOf(name)}/${name}.sol:${name}`,
      compiler,
      /** ABI-encoded, without 0x, as explorers take them. */
      constructorArguments: encodeDeployData({ abi, bytecode: "0x", args }).slice(2),
      transactionHash: receipts[name]?.transactionHash,
    });
  }
  await writeFileWhole(
    join(folder, "README.md"),
    [
      "# Sources for explorers",
      "",
      `Compiler: ${compiler}. Choose "Solidity (Standard-Json-Input)", upload \`standard-input.json\`, and take name, address`,
      "and constructor arguments from the contract's own file. Sourcify takes the same input. What votes are made of has an",
      "input of its own, `standard-input-governance.json`, and so has the bond: `standard-input-bond.json`.",
      "",
      ...plan.steps.map(({ address, name }) => `- \`${name}.json\`: ${address}`),
      "",
    ].join("\n"),
  );
  return folder;
}

function folderOf(name: string): string {
  if (name === "PreconfirmationBond") return "bond";
  return name === "OpenToken" || name === "Rollup" ? "rollup" : "governance";
}

const addressesOf = ({ governor, registry, timelock }: NonNullable<DeployPlan["governance"]>) => ({
  governor,
  timelock,
  registry,
});
