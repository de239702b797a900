/**
 * Lists the browser's wallets for the pages: those that announce themselves by EIP-6963, and on a devnet one of the page's own.
 */

import type { LedgerClient } from "@openledger/client/ledger-client";
import type { WalletProvider } from "@openledger/client/wallet";
import { signal } from "@preact/signals";
import type { Address } from "viem";

export interface FoundWallet {
  /** Stays the same over visits: the wallet's reverse domain name. */
  readonly id: string;
  readonly name: string;
  /** A data: address, or null. */
  readonly iconUrl: string | null;
  readonly provider: WalletProvider;
  /** Signs with a key that everybody knows. */
  readonly isTest: boolean;
}

/** A connected one, and a client that speaks for it. */
export interface Session {
  readonly wallet: FoundWallet;
  readonly address: Address;
  /** A Safe or the like: it has no ledger key, and its owners sign for each transaction. */
  readonly isContract: boolean;
  /** Client of the wallet. Its l2Key is null until `unlock`, and lives in this page's memory alone. */
  readonly client: LedgerClient;
}

interface Announcement {
  readonly info: { readonly rdns: string; readonly name: string; readonly icon: string };
  readonly provider: WalletProvider;
}

/** Characters of a wallet's name, which any extension can set. */
const MAX_NAME_LENGTH = 40;

export const foundWallets = signal<readonly FoundWallet[]>([]);

/** Asks wallets to announce themselves; they may do so at any time later, too. */
export function discoverWallets(): void {
  window.addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (event as CustomEvent<Announcement>).detail;
    if (typeof info?.rdns !== "string" || typeof info.name !== "string") return;
    add({
      id: info.rdns,
      name: info.name.slice(0, MAX_NAME_LENGTH),
      iconUrl: /^data:image\//.test(info.icon) ? info.icon : null,
      provider,
      isTest: false,
    });
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
}

export function add(wallet: FoundWallet): void {
  if (foundWallets.value.some(({ id }) => id === wallet.id)) return;
  foundWallets.value = [...foundWallets.value, wallet];
}
