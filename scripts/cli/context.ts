/**
 * Endpoints, accounts and clients of commands: resolves options such as --rpc and --account, falls back to the devnet's files,
 * and opens a reader or a signer.
 */
import { readFileSync } from "node:fs";
import { type Deployment, loadDeployment, parseDeployment } from "@openledger/circuits/registry/deployment";
import { clientError } from "@openledger/client/client-errors";
import { deriveKey, keyFromSecret, type L2Key } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves, getLeaf, onlyAccount } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { DEFAULT_SPENDING_CAP, type SpendingCap } from "@openledger/contracts/l1/capped-transaction";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent } from "@openledger/foundation/whole-file";
import { type Address, getAddress, isAddress, parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { z } from "zod";
import { findAccount, type NamedAccount } from "./account-file.ts";
import { commandError } from "./cli-errors.ts";
import { groupsGone, hasGroupShares } from "./groups-gone.ts";
import { storePreconfirmation } from "./preconfirmation-store.ts";
import { workspacePaths } from "./workspace.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  rpc?: string;
  rollup?: string;
  sequencer?: string;
  /** Beacon nodes, in the order in which blobs are requested from them. */
  beacon?: string[];
  /** Folders and URLs that may have blobs. */
  blobs?: string[];
  account?: string;
  accountsFile?: string;
  privateKeyFile?: string;
  /** Maximum price of a unit of gas, as a decimal number of gwei. */
  maxFeeGwei?: string;
  /** Maximum tip within it, as a decimal number of gwei. */
  maxPriorityFeeGwei?: string;
}

/** Maximum that the account's transactions pay for a unit of gas, whatever the Ethereum node asks. */
export function spendingCapOf({ maxFeeGwei, maxPriorityFeeGwei }: GlobalOptions): SpendingCap {
  return {
    maxFeePerGasWei: weiOf(maxFeeGwei) ?? DEFAULT_SPENDING_CAP.maxFeePerGasWei,
    maxPriorityFeePerGasWei: weiOf(maxPriorityFeeGwei) ?? DEFAULT_SPENDING_CAP.maxPriorityFeePerGasWei,
  };
}

const weiOf = (gwei: string | undefined) => (gwei === undefined ? undefined : parseGwei(gwei));

export interface Endpoints {
  rpcUrl: string;
  rollupAddress: Address;
  sequencerUrl: string | null;
}

const endpointsSchema = z.object({
  sequencerUrl: z.url(),
  /** Datanet host of the devnet; absent if an earlier version started it. */
  datanetHost: z.url().optional(),
  /** Addresses of models' routes by the model's id. */
  modelServers: z.record(z.string(), z.url()).default({}),
});

/** Resolves endpoints from the options first, then from the devnet's files. @throws CMD_NO_DEPLOYMENT, CMD_USAGE */
export function resolveEndpoints(options: GlobalOptions): Endpoints {
  const isRecordNeeded = options.rpc === undefined || options.rollup === undefined;
  const hasRecord = readIfPresent(workspacePaths.deployment) !== null;
  if (isRecordNeeded && !hasRecord)
    throw commandError("CMD_NO_DEPLOYMENT", "no devnet runs here to read the addresses from");
  const record = isRecordNeeded ? loadDeployment(workspacePaths.deployment) : null;
  // A rollup that was named is not the devnet's, so neither is its sequencer.
  const endpoints = options.rollup === undefined ? readIfPresent(workspacePaths.endpoints) : null;
  const sequencerUrl =
    options.sequencer ??
    (endpoints === null ? null : endpointsSchema.parse(JSON.parse(endpoints)).sequencerUrl);
  return {
    rpcUrl: options.rpc ?? record!.rpcUrl,
    rollupAddress: parseAddress(options.rollup ?? record!.rollupAddress),
    sequencerUrl,
  };
}

/** The Datanet host of the devnet that runs here; undefined if none does, or for a rollup that was named: it is not the devnet's. */
export function knownDatanetHost({ rollup }: Pick<GlobalOptions, "rollup"> = {}): string | undefined {
  if (rollup !== undefined) return undefined;
  const endpoints = readIfPresent(workspacePaths.endpoints);
  try {
    return endpoints === null ? undefined : endpointsSchema.parse(JSON.parse(endpoints)).datanetHost;
  } catch {
    // A command that needs the file reports the error.
    return undefined;
  }
}

/** Addresses of all answer servers that this machine knows. */
export function knownAnswerServers(): string[] {
  const endpoints = readIfPresent(workspacePaths.endpoints);
  if (endpoints === null) return [];
  const { modelServers } = endpointsSchema.parse(JSON.parse(endpoints));
  return Object.values(modelServers).map((url) => url.replace(/\/ledger\/\d+$/, ""));
}

/** Addresses of models that this machine knows, by their ids. */
export function knownModelLocations(): Readonly<Record<string, string>> {
  const endpoints = readIfPresent(workspacePaths.endpoints);
  return endpoints === null ? {} : endpointsSchema.parse(JSON.parse(endpoints)).modelServers;
}

/**
 * Returns the address of a model's server: the one given, else the one that this machine knows.
 * @throws CMD_NO_MODEL_SERVER
 */
export function modelServerOf(modelId: number, server: string | undefined): string {
  const url = server ?? knownModelLocations()[String(modelId)];
  if (url !== undefined) return url;
  throw commandError("CMD_NO_MODEL_SERVER", `the server of model ${modelId} is unknown`, {
    data: { modelId },
  });
}

/**
 * The devnet's deployment record, if it is of this rollup; null if there is none. A record that cannot be read, for
 * example of another version, counts as none. Where the record itself was asked for, `resolveEndpoints` refuses it.
 */
export function deploymentOf(rollupAddress: Address): Deployment | null {
  const text = readIfPresent(workspacePaths.deployment);
  if (text === null) return null;
  let deployment: Deployment;
  try {
    deployment = parseDeployment(text);
  } catch (error) {
    if (isRollupError(error, "CIR_DEPLOYMENT_INVALID")) return null;
    throw error;
  }
  return getAddress(deployment.rollupAddress) === rollupAddress ? deployment : null;
}

export function deployedCircuitNames(rollupAddress: Address): string[] {
  return deploymentOf(rollupAddress)?.circuits.map(({ name }) => name) ?? [];
}

/** @throws CMD_USAGE */
export function parseAddress(text: string): Address {
  if (!isAddress(text, { strict: false }))
    throw commandError("CMD_USAGE", `"${text}" is no Ethereum address`);
  return getAddress(text);
}

export function accountsPath(options: GlobalOptions): string {
  return options.accountsFile ?? workspacePaths.accounts;
}

/** The account that signs. @throws CMD_ACCOUNT_INVALID */
export function resolveAccount(options: GlobalOptions): NamedAccount {
  const { privateKeyFile } = options;
  if (privateKeyFile !== undefined) {
    const unreadable = (cause?: unknown) =>
      commandError("CMD_ACCOUNT_INVALID", `${privateKeyFile} holds no private key`, {
        data: { reason: "key-file-unreadable" },
        cause,
      });
    let text: string;
    try {
      text = readFileSync(privateKeyFile, "utf8").trim();
    } catch (cause) {
      throw unreadable(cause);
    }
    if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw unreadable();
    const l1 = privateKeyToAccount(text as `0x${string}`);
    return { name: l1.address, l1, keyIndex: 0, l2Secret: null };
  }
  if (options.account === undefined)
    throw commandError("CMD_ACCOUNT_INVALID", "this command needs an account to sign with", {
      data: { reason: "no-account" },
    });
  return findAccount(accountsPath(options), options.account);
}

/** A client that can only read. */
export function openReader(options: GlobalOptions): Promise<LedgerClient> {
  const { rpcUrl, rollupAddress, sequencerUrl } = resolveEndpoints(options);
  return createLedgerClient({ rpcUrl, rollupAddress, ...(sequencerUrl === null ? {} : { sequencerUrl }) });
}

export interface Signer {
  client: LedgerClient;
  account: NamedAccount;
  /** The account's newest key. */
  key: L2Key;
}

/** A client with the account's Ethereum key and its newest ledger key. */
export async function openSigner(options: GlobalOptions): Promise<Signer> {
  const account = resolveAccount(options);
  const reader = await openReader(options);
  const key = await accountKey(reader, account, account.keyIndex);
  const { rpcUrl, rollupAddress, sequencerUrl } = resolveEndpoints(options);
  const client = await createLedgerClient({
    rpcUrl,
    rollupAddress,
    ...(sequencerUrl === null ? {} : { sequencerUrl }),
    wallet: account.l1,
    spendingCap: spendingCapOf(options),
    l2Key: key,
    onPreconfirmation: storePreconfirmation,
  });
  return { client, account, key };
}

/** The account's random key, or the derived one of an index. */
export function accountKey(client: LedgerClient, account: NamedAccount, index: number): Promise<L2Key> {
  if (account.l2Secret !== null) return keyFromSecret(account.l2Secret);
  return deriveKey({
    wallet: account.l1,
    chainId: client.chain.id,
    rollupAddress: client.rollupAddress,
    index,
  });
}

/**
 * The same client, signing for one leaf with whichever of the account's keys the leaf has.
 * @throws CMD_ACCOUNT_INVALID; CMD_GROUPS_GONE where an earlier version has left shares of groups
 */
export async function signFor(signer: Signer, leaf: LedgerLeaf): Promise<LedgerClient> {
  const { client, account } = signer;
  if (signer.key.keyX === leaf.keyX) return { ...client, leafId: leaf.id };
  for (let index = account.keyIndex; index >= 0; index--) {
    const key = await accountKey(client, { ...account, l2Secret: null }, index);
    if (key.keyX === leaf.keyX) return { ...client, l2Key: key, leafId: leaf.id };
  }
  if (hasGroupShares()) throw groupsGone();
  throw commandError("CMD_ACCOUNT_INVALID", `no key of ${account.name} signs for leaf ${leaf.id}`, {
    data: { reason: "key-unknown", leafId: leaf.id, account: account.name },
  });
}

/**
 * A leaf by what people call it: an id, the name of an account in the file, or an Ethereum address.
 * @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID, CMD_ACCOUNT_INVALID
 */
export async function resolveLeaf(
  client: LedgerClient,
  options: GlobalOptions,
  text: string,
): Promise<LedgerLeaf> {
  if (/^\d+$/.test(text)) return getLeaf(client, Number(text));
  const owner = isAddress(text, { strict: false })
    ? getAddress(text)
    : findAccount(accountsPath(options), text).l1.address;
  return accountOf(client, owner);
}

/**
 * The one account leaf of an Ethereum address; of the account's own, the one with its key.
 * @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID
 */
export async function accountOf(client: LedgerClient, owner: Address): Promise<LedgerLeaf> {
  const only = onlyAccount(client, await findLeaves(client, { owner }));
  if (only !== null) return only;
  throw clientError("CLI_LEAF_NOT_FOUND", `${owner} has no account in the ledger`, { data: { owner } });
}
