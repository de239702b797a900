/**
 * Deployment of the token and the rollup to L1: constructor arguments with their defaults, dry run, receipt.
 * `openledger deploy`, the devnet and tests call it.
 */
import {
  type Abi,
  type Account,
  type Address,
  BaseError,
  type Chain,
  encodeDeployData,
  getContractError,
  type Hex,
  type PublicClient,
  parseEther,
  type TransactionReceipt,
  type Transport,
  type WalletClient,
} from "viem";
import { contractError } from "../contract-errors.ts";
import { awaitReceipt } from "../l1/await-receipt.ts";
import { paddedGas } from "../l1/fee-policy.ts";
import { compileContracts, pickContract } from "./compile.ts";
import type { CircuitConfig } from "./verifying-key.ts";

/** Arguments of the rollup's constructor, besides the token. None can be changed later. */
export interface RollupOptions {
  sequencer: Address;
  genesisRoot: bigint;
  /** Owner of the treasury's leaf. */
  treasuryOwner: Address;
  /** Owner of the fee account's leaf, whose key has this x-coordinate. */
  operatorOwner: Address;
  operatorKeyX: bigint;
  /** Circuits in the order in which batches number them. */
  circuits: readonly CircuitConfig[];
  /** Wei burned for a new id; default 1 OPEN, as of the next two. */
  idFeeWei?: bigint;
  minDepositWei?: bigint;
  queueBaseFeeWei?: bigint;
  /** Maximum waiting queue entries; default 1,024. */
  queueCapacity?: number;
}

/** Constructor arguments, and the wallet that deploys. */
export interface DeployOptions extends RollupOptions {
  walletClient: WalletClient<Transport, Chain | undefined, Account>;
  publicClient: PublicClient;
  /** An OpenToken that exists already; by default a new one is deployed. */
  token?: Address;
  /** Holder of the new token's supply. Default: the deployer. */
  tokenHolder?: Address;
}

interface Deployment {
  token: Address;
  /**
   * Address of the rollup. It is its own verifier: the keys lie in a data contract that its constructor
   * makes.
   */
  rollup: Address;
  /** Block of the rollup; its events start here. */
  blockNumber: bigint;
  blockHash: `0x${string}`;
  gas: { token: bigint; rollup: bigint };
}

/**
 * Deploys the token, unless there is one, and the rollup.
 *
 * The constructor checks the keys, so a broken key is found here and not at the first batch.
 *
 * @throws RollupError CON_DEPLOY_FAILED, with the contract's own error as its cause
 */
export async function deployRollup(options: DeployOptions): Promise<Deployment> {
  const contracts = await compileContracts();
  const holder = options.tokenHolder ?? options.walletClient.account.address;
  let token = options.token;
  let tokenGas = 0n;
  if (token === undefined) {
    const receipt = await deployContract(options, "OpenToken", pickContract(contracts, "OpenToken"), [
      holder,
    ]);
    token = receipt.contractAddress;
    tokenGas = receipt.gasUsed;
  }
  const receipt = await deployContract(
    options,
    "Rollup",
    pickContract(contracts, "Rollup"),
    rollupArguments(token, options),
  );
  return {
    token,
    rollup: receipt.contractAddress,
    blockNumber: receipt.blockNumber,
    blockHash: receipt.blockHash,
    gas: { token: tokenGas, rollup: receipt.gasUsed },
  };
}

/** Builds the arguments of the rollup's constructor. */
export function rollupArguments(token: Address, options: RollupOptions): readonly unknown[] {
  const config = {
    token,
    sequencer: options.sequencer,
    genesisRoot: options.genesisRoot,
    treasuryOwner: options.treasuryOwner,
    operatorOwner: options.operatorOwner,
    operatorKeyX: options.operatorKeyX,
    idFeeWei: options.idFeeWei ?? parseEther("1"),
    minDepositWei: options.minDepositWei ?? parseEther("1"),
    queueBaseFeeWei: options.queueBaseFeeWei ?? parseEther("1"),
    queueCapacity: options.queueCapacity ?? 1024,
    circuits: options.circuits.map((circuit) => ({ ...circuit, tableSizes: circuit.tableSizes ?? 0n })),
  };
  return [config];
}

/** Error of a refused deployment, with the constructor's own error as its cause. */
export function deployFailed(
  name: string,
  error: unknown,
  { abi, args }: { abi: Abi; args: readonly unknown[] },
) {
  const cause =
    error instanceof BaseError
      ? getContractError(error, { abi, args, docsPath: "", functionName: "constructor" })
      : error;
  return contractError("CON_DEPLOY_FAILED", `cannot deploy ${name}`, { data: { name }, cause });
}

/**
 * Deploys after a dry run, and waits for the receipt.
 * @throws RollupError CON_DEPLOY_FAILED, with the contract's own error as its cause
 */
export async function deployContract(
  { walletClient, publicClient }: Pick<DeployOptions, "walletClient" | "publicClient">,
  name: string,
  { abi, bytecode }: { abi: Abi; bytecode: Hex },
  args: readonly unknown[],
  /** Ether that the constructor gets, in wei. */
  value = 0n,
): Promise<TransactionReceipt & { contractAddress: Address }> {
  const { account } = walletClient;
  try {
    // A dry run first: nodes name the constructor's error in the answer to a call, not to a transaction.
    const data = encodeDeployData({ abi, bytecode, args });
    await publicClient.call({ account, data, value });
    // No account object, for which viem would add fees: EthereumJS refuses the estimate of a call with fees.
    const gas = paddedGas(await publicClient.estimateGas({ account: account.address, data, value }));
    const hash = await walletClient.deployContract({
      abi,
      bytecode,
      args,
      account,
      gas,
      value,
      chain: walletClient.chain ?? null,
    });
    const receipt = await awaitReceipt(publicClient, { hash });
    const { contractAddress } = receipt;
    if (receipt.status === "success" && contractAddress) return { ...receipt, contractAddress };
    throw new BaseError(`transaction ${hash} reverted`);
  } catch (error) {
    throw deployFailed(name, error, { abi, args });
  }
}
