/**
 * Wallets by EIP-1193, as browsers have them: typed-data signatures, refusals as errors, and the switch of the network. Pages
 * connect wallets by it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, BaseError, ChainMismatchError, createWalletClient, custom, numberToHex } from "viem";
import { clientError } from "./client-errors.ts";
import type { TypedDataSigner } from "./l2-key.ts";
import { isRequestPending, isUserRejection, walletErrorCodes } from "./wallet-error-codes.ts";

/** A wallet: EIP-1193's one method. */
export interface WalletProvider {
  request(request: { method: string; params?: unknown }): Promise<unknown>;
  /** Subscribes to events; absent in providers without them. */
  on?(event: string, listener: (value: unknown) => void): unknown;
  removeListener?(event: string, listener: (value: unknown) => void): unknown;
}

/**
 * One address of an EIP-1193 wallet in the form that `deriveKey` takes. Its `signTypedData` throws CLI_WALLET_REJECTED
 * where the owner declines.
 * @example
 * ```ts
 * const wallet = walletSigner(provider, account.address);
 * const l2Key = await deriveKey({ wallet, chainId: 31337, rollupAddress });
 * ```
 */
export function walletSigner(provider: WalletProvider, address: Address): TypedDataSigner {
  const client = createWalletClient({ transport: custom(provider, { retryCount: 0 }), account: address });
  return {
    address,
    signTypedData: (message) =>
      client.signTypedData({ account: address, ...message }).catch((cause: unknown) => {
        throw walletError(cause) ?? cause;
      }),
  };
}

/**
 * Error of a wallet that its owner or its network holds up; null for any other.
 * @internal
 */
export function walletError(cause: unknown): Error | null {
  if (isRollupError(cause)) return null;
  if (isUserRejection(cause))
    return clientError("CLI_WALLET_REJECTED", "the wallet's owner declined", { cause });
  if (!(cause instanceof BaseError)) return null;
  const mismatch = cause.walk((error) => error instanceof ChainMismatchError);
  if (mismatch !== null)
    return clientError("CLI_WALLET_WRONG_CHAIN", (mismatch as BaseError).shortMessage, { cause });
  return null;
}

/**
 * Asks a wallet for its accounts.
 * @param method eth_accounts opens no window
 * @returns the first one; null where the owner has shared none
 * @throws CLI_WALLET_REJECTED, CLI_WALLET_UNAVAILABLE
 * @internal
 */
export async function requestAccount(
  provider: WalletProvider,
  method: "eth_accounts" | "eth_requestAccounts" = "eth_requestAccounts",
): Promise<Address | null> {
  try {
    const [first] = (await provider.request({ method })) as readonly Address[];
    return first ?? null;
  } catch (cause) {
    if (isUserRejection(cause))
      throw clientError("CLI_WALLET_REJECTED", "the wallet's owner declined", { cause });
    const isPending = isRequestPending(cause);
    throw clientError(
      "CLI_WALLET_UNAVAILABLE",
      isPending ? "an earlier request of this site waits in the wallet" : "the wallet gave no address",
      { data: { reason: isPending ? "pending" : "failed" }, cause },
    );
  }
}

/** Code of EIP-3085 for a network that the wallet does not know. */
const UNKNOWN_CHAIN = 4902;
/** Milliseconds between two questions for the chain: some wallets answer first, and switch then. Two seconds in all. */
const CHAIN_WAITS_MS = [0, 50, 100, 250, 600, 1_000] as const;

export type EnsureChainErrorCode = "CLI_WALLET_WRONG_CHAIN";

/**
 * Switches the wallet to a network, and first adds one that the wallet does not know.
 * @param chain.rpcUrl a node of that network; null: a wallet that does not know the network stays where it is
 * @throws CLI_WALLET_WRONG_CHAIN
 * @example
 * ```ts
 * await ensureChain(provider, { chainId: 31337, rpcUrl });
 * ```
 */
export async function ensureChain(
  provider: WalletProvider,
  { chainId, rpcUrl }: { chainId: number; rpcUrl: string | null },
): Promise<void> {
  const isThere = async () => Number(await provider.request({ method: "eth_chainId" })) === chainId;
  const isThereSoon = async () => {
    for (const waitMs of CHAIN_WAITS_MS) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (await isThere()) return true;
    }
    return false;
  };
  if (await isThere()) return;
  const params = [{ chainId: numberToHex(chainId) }];
  const askToSwitch = () => provider.request({ method: "wallet_switchEthereumChain", params });
  try {
    await askToSwitch().catch(async (error: unknown) => {
      if (rpcUrl === null || !walletErrorCodes(error).has(UNKNOWN_CHAIN)) throw error;
      const nativeCurrency = { name: "Ether", symbol: "ETH", decimals: 18 };
      const added = { ...params[0], chainName: `chain ${chainId}`, rpcUrls: [rpcUrl], nativeCurrency };
      await provider.request({ method: "wallet_addEthereumChain", params: [added] });
      // EIP-3085 leaves open whether a wallet also switches.
      if (!(await isThereSoon())) await askToSwitch();
    });
    if (await isThereSoon()) return;
  } catch (cause) {
    throw clientError("CLI_WALLET_WRONG_CHAIN", `the wallet did not switch to chain ${chainId}`, {
      data: { chainId },
      cause,
    });
  }
  throw clientError("CLI_WALLET_WRONG_CHAIN", `the wallet is not on chain ${chainId}`, { data: { chainId } });
}
