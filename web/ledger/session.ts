/** Who is here: a connected wallet, a client that speaks for it, and the ledger key once its owner has signed for it. */

import { clientError } from "@openledger/client/client-errors";
import { isContractWallet } from "@openledger/client/contract-wallet";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { ensureChain, walletSigner } from "@openledger/client/wallet";
import { signal } from "@preact/signals";
import { type Address, getAddress } from "viem";
import type { Site } from "./site.ts";
import type { FoundWallet } from "./wallets.ts";

export interface Session {
  readonly wallet: FoundWallet;
  readonly address: Address;
  /** A Safe or the like: it has no ledger key, and its owners sign for each transaction. */
  readonly isContract: boolean;
  /** Its l2Key is null until `unlock`, and lives in this page's memory alone. */
  readonly client: LedgerClient;
}

export const session = signal<Session | null>(null);

/** Which wallet was connected last: it is asked again without a prompt. No address, no key. */
const LAST_WALLET = "openledger.wallet";

export function wasConnected(wallet: FoundWallet): boolean {
  return localStorage.getItem(LAST_WALLET) === wallet.id;
}

/**
 * @param isSilent asks for nothing that would open the wallet; does nothing where it has given no address before
 * @throws CLI_WALLET_REJECTED, CLI_WALLET_WRONG_CHAIN, CLI_L1_UNREACHABLE
 */
export async function connect(
  wallet: FoundWallet,
  site: Site,
  info: SequencerInfo,
  { isSilent = false } = {},
): Promise<void> {
  const method = isSilent ? "eth_accounts" : "eth_requestAccounts";
  const [first] = (await wallet.provider.request({ method }).catch(rejected)) as readonly string[];
  if (first === undefined) {
    if (isSilent) return;
    throw clientError("CLI_WALLET_REJECTED", `${wallet.name} gave no address`);
  }
  if (!isSilent) await ensureChain(wallet.provider, { chainId: info.chainId, rpcUrl: site.l1Url });
  const address = getAddress(first);
  const client = await createLedgerClient({
    ...(site.l1Url === null ? {} : { rpcUrl: site.l1Url }),
    sequencerUrl: site.sequencer.sequencerUrl!,
    rollupAddress: info.rollupAddress,
    wallet: { provider: wallet.provider, address },
  });
  const isContract = await isContractWallet(client);
  localStorage.setItem(LAST_WALLET, wallet.id);
  stopListening();
  session.value = { wallet, address, client, isContract };
  listen(wallet, address);
}

let stopListening = () => {};

/** The owner chose another account in the wallet: nothing is signed for the old one any more, and its key is forgotten. */
function listen({ provider }: FoundWallet, address: Address): void {
  const onAccounts = (accounts: unknown) => {
    const [first] = accounts as readonly string[];
    if (first === undefined || getAddress(first) !== address) disconnect();
  };
  provider.on?.("accountsChanged", onAccounts);
  stopListening = () => void provider.removeListener?.("accountsChanged", onAccounts);
}

function rejected(cause: unknown): never {
  throw clientError("CLI_WALLET_REJECTED", "the wallet gave no address", { cause });
}

export function disconnect(): void {
  localStorage.removeItem(LAST_WALLET);
  stopListening();
  session.value = null;
}

/**
 * Derives the ledger key from the wallet's signature.
 * @param knownKeysX keys of the wallet's accounts
 * @returns a client that signs; the session has it from now on
 * @throws CLI_WALLET_REJECTED, CLI_WALLET_NOT_DETERMINISTIC, CLI_WALLET_SIGNATURE_UNSUPPORTED
 */
export async function unlock(now: Session, knownKeysX: readonly bigint[]): Promise<LedgerClient> {
  const { client, wallet, address } = now;
  if (client.l2Key !== null) return client;
  const { chain, rollupAddress } = client;
  // Asking would cost its owners signatures for nothing.
  if (now.isContract)
    throw clientError("CLI_WALLET_SIGNATURE_UNSUPPORTED", `${address} is a contract wallet`, {
      data: { address },
    });
  await ensureChain(wallet.provider, { chainId: chain.id, rpcUrl: null });
  const l2Key = await deriveKey({
    wallet: walletSigner(wallet.provider, address),
    chainId: chain.id,
    rollupAddress,
    knownKeysX,
  });
  const unlocked = { ...client, l2Key };
  if (session.value === now) session.value = { ...now, client: unlocked };
  return unlocked;
}
