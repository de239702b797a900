/** What the commands of the lease are made with: an Ethereum node, the contract, the operator's account. */
import { resolve } from "node:path";
import { defaultConfirmations } from "@openledger/bridge/l1/confirmations";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { LeaseContract } from "@openledger/bridge/l1/lease-contract";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { OperatorNonce } from "@openledger/bridge/operator/publishing/operator-nonce";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import type { SpendingCap } from "@openledger/contracts/l1/capped-transaction";
import { readSecretFile } from "@openledger/foundation/secret-file";
import type { TakeOverModules } from "@openledger/sequencer/full-node/restore/take-over";
import { type Address, createWalletClient, http, isAddressEqual } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { installationPaths, readInstallation } from "../installation/installation.ts";
import { operatorError } from "../operator-errors.ts";

interface LeaseToolsOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  readonly leaseAddress: Address;
  readonly keyFile: string;
  readonly confirmations?: number | undefined;
  readonly cap: SpendingCap;
  readonly tell: (text: string) => void;
}

export interface LeaseTools {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  readonly modules: TakeOverModules;
}

const RESEND_AFTER_MS = 30_000;
const POLL_INTERVAL_MS = 500;

/** What the installation of `--config` knows, below what was given. @throws CMD_USAGE where it has no lease */
export function withInstallation<T extends { config?: string }>(options: T): T & InstalledNames {
  const { config } = options;
  if (config === undefined) return options;
  const folder = resolve(config);
  const { lease, processes, settings } = readInstallation(folder);
  if (lease === null)
    throw operatorError("CMD_USAGE", `${config} has no lease: give it one with operator init --lease`);
  const paths = installationPaths(folder);
  const { rollupAddress, rpcUrl } = loadDeployment(paths.deployment);
  const { BRIDGE_L1_CONFIRMATIONS: confirmations, BRIDGE_LEASE_SECONDS: seconds } = settings;
  const fullNode = processes.find(({ kind }) => kind === "full-node");
  const known: InstalledNames = {
    ...{ rpc: rpcUrl, rollup: rollupAddress, lease: lease.address, url: lease.url },
    operatorKeyFile: paths.operatorKey,
    data: paths.data("sequencer"),
    fullNodeData: paths.data("full-node"),
    ...(fullNode === undefined ? {} : { fullNode: `http://127.0.0.1:${fullNode.port}` }),
    ...(confirmations === undefined ? {} : { confirmations: Number(confirmations) }),
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
  };
  return { ...known, ...options };
}

/** A standby has no ledger of a sequencer: with an empty one it would begin again. @throws CMD_USAGE */
export function requireLeader(config: string): void {
  if (readInstallation(resolve(config)).lease?.role === "leader") return;
  throw operatorError("CMD_USAGE", `${config} is a standby: it gets the lease by operator take-over`);
}

interface InstalledNames {
  readonly rpc?: string;
  readonly rollup?: string;
  readonly lease?: string;
  readonly url?: string;
  readonly operatorKeyFile?: string;
  readonly data?: string;
  readonly fullNodeData?: string;
  readonly fullNode?: string;
  readonly confirmations?: number;
  readonly seconds?: number;
}

export const openLease = (rpcUrl: string, address: Address): LeaseContract =>
  new LeaseContract({ client: createPatientL1Client({ rpcUrl }), address });

/** @throws CIR_SECRET_FILE_*; CMD_USAGE where the lease or the key is not this rollup's */
export async function leaseTools(options: LeaseToolsOptions): Promise<LeaseTools> {
  const { cap, keyFile, leaseAddress, rollupAddress, rpcUrl, tell } = options;
  const account = accountOf(keyFile);
  const lease = openLease(rpcUrl, leaseAddress);
  const { client } = lease;
  const [chainId, operator, sequencer] = await Promise.all([
    client.getChainId(),
    lease.operator(),
    new RollupContract({ client, address: rollupAddress }).sequencer(),
  ]);
  for (const [what, address] of [
    ["the lease's operator", operator],
    ["the rollup's sequencer", sequencer],
  ] as const) {
    if (!isAddressEqual(address, account.address))
      throw operatorError("CMD_USAGE", `${what} is ${address}, the key's address ${account.address}`);
  }
  const { maxFeePerGasWei, maxPriorityFeePerGasWei } = cap;
  const { confirmations = defaultConfirmations(chainId) } = options;
  return {
    ...{ rpcUrl, rollupAddress },
    modules: {
      ...{ lease, tell },
      nonceWith: (onSigned) =>
        new OperatorNonce(
          {
            ...{ chainId, confirmations, maxFeePerGasWei, maxPriorityFeePerGasWei },
            ...{ resendAfterMs: RESEND_AFTER_MS, pollIntervalMs: POLL_INTERVAL_MS },
          },
          { account, client, onSigned, tell },
        ),
    },
  };
}

/** Deploys the contract for the rollup's operator. @throws CON_DEPLOY_FAILED, CMD_USAGE */
export async function createLease(
  options: Pick<LeaseToolsOptions, "rpcUrl" | "rollupAddress" | "keyFile" | "cap">,
): Promise<{ address: Address; operator: Address; gasUsed: bigint }> {
  const { keyFile, rollupAddress, rpcUrl } = options;
  const client = createPatientL1Client({ rpcUrl });
  const operator = await new RollupContract({ client, address: rollupAddress }).sequencer();
  const walletClient = createWalletClient({ account: accountOf(keyFile), transport: http(rpcUrl) });
  const contract = pickContract(await compileContracts({ set: "lease" }), "SequencerLease");
  const clients = { walletClient, publicClient: client as never };
  const receipt = await deployContract(clients, "SequencerLease", contract, [operator]);
  return { address: receipt.contractAddress, operator, gasUsed: receipt.gasUsed };
}

function accountOf(keyFile: string) {
  const text = readSecretFile(keyFile);
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw operatorError("CMD_USAGE", `${keyFile} holds no private key`);
  return privateKeyToAccount(text as `0x${string}`);
}
