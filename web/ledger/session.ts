/**
 * Session of a visitor: a connected wallet, a client that speaks for it, and the ledger key once its owner has signed
 * for it.
 */

import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { requestAccount } from "@openledger/client/wallet";
import { signal } from "@preact/signals";
import type { Site } from "./site.ts";
import type { FoundWallet, Session } from "./wallets.ts";

export type { Session } from "./wallets.ts";

export const session = signal<Session | null>(null);

/** Storage key of the wallet that was connected last. It is asked again without a prompt. No address, no key. */
const LAST_WALLET = "openledger.wallet";

export function wasConnected(wallet: FoundWallet): boolean {
  return localStorage.getItem(LAST_WALLET) === wallet.id;
}

/**
 * @param isSilent asks for nothing that would open the wallet; does nothing if it has given no address before
 * @throws CLI_WALLET_REJECTED, CLI_WALLET_UNAVAILABLE, CLI_WALLET_WRONG_CHAIN, CLI_UNREACHABLE
 */
export async function connect(
  wallet: FoundWallet,
  site: Site,
  info: SequencerInfo,
  { isSilent = false } = {},
): Promise<void> {
  const first = await requestAccount(wallet.provider, isSilent ? "eth_accounts" : "eth_requestAccounts");
  if (first === null) {
    if (isSilent) return;
    throw clientError("CLI_WALLET_REJECTED", `${wallet.name} gave no address`);
  }
  const { openWallet } = await import("./open-wallet.ts");
  const opened = await openWallet(wallet, first, site, info, isSilent);
  localStorage.setItem(LAST_WALLET, wallet.id);
  stopListening();
  session.value = opened;
  listen(opened);
}

let stopListening = () => {};

/** The owner chose another account in the wallet: nothing is signed for the old one any more, and its key is forgotten. */
function listen({ address, wallet: { provider } }: Session): void {
  const onAccounts = (accounts: unknown) => {
    const [first] = accounts as readonly string[];
    if (first?.toLowerCase() !== address.toLowerCase()) disconnect();
  };
  provider.on?.("accountsChanged", onAccounts);
  stopListening = () => void provider.removeListener?.("accountsChanged", onAccounts);
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
 * @throws CLI_WALLET_REJECTED, CLI_WALLET_UNSUPPORTED
 */
export async function unlock(now: Session, knownKeysX: readonly bigint[]): Promise<LedgerClient> {
  if (now.client.l2Key !== null) return now.client;
  const { deriveSessionKey } = await import("./open-wallet.ts");
  const unlocked = { ...now.client, l2Key: await deriveSessionKey(now, knownKeysX) };
  if (session.value === now) session.value = { ...now, client: unlocked };
  return unlocked;
}
