/**
 * The client object of the library that users' programs build on (npm package `openledger-client`). The folder is shipped alone
 * to people who run neither sequencer nor prover, so it must not import them.
 *
 * A client holds only addresses and keys, as in viem. Every verb is a function of its own file that takes the client
 * first (`transfer(client, { … })`), so a program carries only the verbs that it uses.
 */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import {
  DEFAULT_SPENDING_CAP,
  receiptPollMs,
  type SpendingCap,
} from "@openledger/contracts/l1/capped-transaction";
import type { Secret } from "@openledger/foundation/secret";
import {
  type Account,
  type Address,
  type Chain,
  createPublicClient,
  createWalletClient,
  custom,
  defineChain,
  encodeAbiParameters,
  getAddress,
  type Hex,
  http,
  keccak256,
  type LocalAccount,
  type PublicClient,
  stringToHex,
  type Transport,
  type WalletClient,
} from "viem";
import { clientError } from "./client-errors.ts";
import type { L2Key } from "./l2-key.ts";
import type { PreconfirmationRecord } from "./sequencer/preconfirmation-record.ts";
import type { WalletProvider } from "./wallet.ts";

/**
 * A viem account that signs here; or one address of an EIP-1193 provider, which signs and sends: a browser's wallet, a
 * hardware wallet, a Safe.
 */
export type L1Wallet = LocalAccount | { readonly provider: WalletProvider; readonly address: Address };

export interface LedgerClientOptions {
  /** URL of the sequencer, or of a full node. Absent: only the L1 half works. */
  sequencerUrl?: string;
  /** URL of the Ethereum node. Absent: `provider` or the wallet's provider is the node. One of them is required. */
  rpcUrl?: string;
  /** Provider to use instead of a node. A viem client is one, too. */
  provider?: WalletProvider;
  rollupAddress: Address;
  /** Wallet that sends L1 transactions. Absent: the client only reads L1. */
  wallet?: L1Wallet;
  /**
   * Maximum price of a unit of gas in its transactions, whatever the node suggests. Default: 200 gwei, 10 of them a tip.
   */
  spendingCap?: SpendingCap;
  /** Key that signs operations. */
  l2Key?: L2Key;
  /** Leaf that acts where a call does not name one; default: the one leaf with the key of `l2Key`. */
  leafId?: number;
  /** Timeout of one request, in milliseconds. */
  requestTimeoutMs?: number;
  /** Token of the sequencer operator's own servers, whose requests it does not limit; a user has none. */
  serverToken?: Secret<string> | undefined;
  /**
   * Called with every checked preconfirmation. Store it: it is the evidence against a sequencer that breaks its promise.
   */
  onPreconfirmation?: (record: PreconfirmationRecord) => void | Promise<void>;
}

export interface LedgerClient {
  readonly sequencerUrl: string | null;
  readonly rollupAddress: Address;
  readonly chain: Chain;
  readonly l1: PublicClient<Transport, Chain>;
  readonly wallet: WalletClient<Transport, Chain, Account> | null;
  readonly spendingCap: SpendingCap;
  readonly tokenAddress: Address;
  /** The L1 account that posts batches and signs preconfirmations, as the contract names it. */
  readonly sequencerAddress: Address;
  readonly domain: bigint;
  readonly l2Key: L2Key | null;
  readonly leafId: number | null;
  readonly requestTimeoutMs: number;
  readonly serverToken?: Secret<string> | undefined;
  readonly onPreconfirmation?: LedgerClientOptions["onPreconfirmation"];
}

const DOMAIN_TAG = keccak256(stringToHex("OpenLedger rollup v1"));

/**
 * Domain of signed messages (docs/reference/ledger.md, "Message signed"): computed here, so that no sequencer chooses
 * what a user signs for.
 * @internal
 */
export function ledgerDomain(chainId: number, rollupAddress: Address): bigint {
  const encoded = encodeAbiParameters(
    [{ type: "bytes32" }, { type: "uint256" }, { type: "address" }],
    [DOMAIN_TAG, BigInt(chainId), rollupAddress],
  );
  return BigInt(keccak256(encoded)) % FIELD_ORDER;
}

/** Error codes of `createLedgerClient`. */
export type CreateLedgerClientErrorCode = "CLI_UNREACHABLE";

/**
 * Creates a client. Reads chain id, token and sequencer address from L1, and nothing from the sequencer.
 * @throws CLI_UNREACHABLE
 * @example
 * ```ts
 * // With a key of this program.
 * const l2Key = await deriveKey({ wallet: account, chainId: 31337, rollupAddress });
 * const own = await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl, wallet: account, l2Key });
 * // With any EIP-1193 wallet: a browser's, or a Safe's. Without `rpcUrl` it is also the node.
 * const [address] = (await provider.request({ method: "eth_requestAccounts" })) as [`0x${string}`];
 * const theirs = await createLedgerClient({ rollupAddress, sequencerUrl, wallet: { provider, address } });
 * console.log(own.chain.id === theirs.chain.id, await isContractWallet(theirs));
 * ```
 */
export async function createLedgerClient(options: LedgerClientOptions): Promise<LedgerClient> {
  // One spelling: addresses are compared as text, with the sequencer's among them.
  const rollupAddress = getAddress(options.rollupAddress);
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
  const { provider, rpcUrl, wallet } = options;
  const byProvider = wallet !== undefined && "provider" in wallet ? wallet : null;
  // A wallet asks its owner, who may take minutes: only the node has the time limit.
  const through = (one: WalletProvider | undefined) =>
    one === undefined ? null : custom(one, { retryCount: 0 });
  const walletTransport = through(byProvider?.provider);
  const transport =
    rpcUrl === undefined
      ? (through(provider) ?? walletTransport)
      : http(rpcUrl, { timeout: requestTimeoutMs });
  if (transport === null)
    throw clientError("CLI_UNREACHABLE", "the client has neither an Ethereum node nor a provider to ask", {
      data: { server: "L1" },
    });
  try {
    await initPoseidon();
    const chainId = await createPublicClient({ transport }).getChainId();
    const chain = defineChain({
      id: chainId,
      name: `chain ${chainId}`,
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: rpcUrl === undefined ? [] : [rpcUrl] } },
    });
    const l1 = createPublicClient({ chain, transport, pollingInterval: receiptPollMs(chainId) });
    const read = (functionName: "token" | "sequencer") =>
      l1.readContract({ address: rollupAddress, abi: rollupUserAbi, functionName });
    const [tokenAddress, sequencerAddress] = await Promise.all([read("token"), read("sequencer")]);
    const signer = {
      account: byProvider?.address ?? (wallet as LocalAccount | undefined),
      transport: walletTransport ?? transport,
    };
    return {
      sequencerUrl: options.sequencerUrl?.replace(/\/+$/, "") ?? null,
      rollupAddress,
      chain,
      l1,
      wallet:
        signer.account === undefined
          ? null
          : (createWalletClient({ chain, ...signer }) as NonNullable<LedgerClient["wallet"]>),
      spendingCap: options.spendingCap ?? DEFAULT_SPENDING_CAP,
      tokenAddress,
      sequencerAddress,
      domain: ledgerDomain(chainId, rollupAddress),
      l2Key: options.l2Key ?? null,
      leafId: options.leafId ?? null,
      requestTimeoutMs,
      serverToken: options.serverToken,
      onPreconfirmation: options.onPreconfirmation,
    };
  } catch (cause) {
    throw clientError(
      "CLI_UNREACHABLE",
      `cannot read the rollup ${rollupAddress} at ${rpcUrl ?? "the wallet"}`,
      {
        data: { server: "L1", rpcUrl, rollupAddress },
        cause,
      },
    );
  }
}

/**
 * The client's key.
 * @throws CLI_NOT_CONFIGURED
 * @internal
 */
export function requireL2Key(client: Pick<LedgerClient, "l2Key">): L2Key {
  if (client.l2Key === null)
    throw clientError("CLI_NOT_CONFIGURED", "the client has no L2 key to sign with", {
      data: { missing: "l2Key" },
    });
  return client.l2Key;
}

/**
 * The client's wallet.
 * @throws CLI_NOT_CONFIGURED
 * @internal
 */
export function requireWallet(client: LedgerClient): NonNullable<LedgerClient["wallet"]> {
  if (client.wallet === null)
    throw clientError("CLI_NOT_CONFIGURED", "the client has no wallet to send L1 transactions with", {
      data: { missing: "wallet" },
    });
  return client.wallet;
}

/**
 * The token's contract, for `readContract`.
 * @example
 * ```ts
 * const supplyWei = await client.l1.readContract({ ...tokenContract(client), functionName: "totalSupply" });
 * ```
 */
export function tokenContract(client: LedgerClient) {
  return { address: client.tokenAddress, abi: openTokenAbi } as const;
}

/**
 * The rollup's contract, for `readContract`.
 * @example
 * ```ts
 * const feeWei = await client.l1.readContract({ ...rollupContract(client), functionName: "queueFeeWei" });
 * ```
 */
export function rollupContract(client: LedgerClient) {
  return { address: client.rollupAddress, abi: rollupUserAbi } as const;
}

export type { Address, Hex };
