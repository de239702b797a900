/**
 * Holdings of the connected address: balances in wei on Ethereum and in the ledger, with their check. The bridge page shows
 * them, all pages that sign take their account from here.
 */

import type { L1Balances } from "@openledger/client/actions/l1/l1-balances";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { signal } from "@preact/signals";
import type { Problem } from "../words/problem.tsx";

export interface Holdings {
  readonly address: string;
  /** Balances by the Ethereum node. */
  readonly l1: L1Balances;
  /** Accounts of the address, by the sequencer. */
  readonly accounts: readonly LedgerLeaf[];
  /** Fees of the contract for a deposit into a new account, and into an existing one. */
  readonly depositFeesWei: { readonly new: bigint; readonly existing: bigint };
  readonly minDepositWei: bigint;
  /** Amount that a forced operation burns now. */
  readonly forcedFeeWei: bigint;
  /** Check of the main account against the root in the contract; null before its first posted batch. */
  readonly checked: BalanceCheck | null;
}

/** Result of the check: either the leaf leads to L1's root, or it does not, which is a contradiction and no delay. */
export type BalanceCheck =
  | { readonly id: number; readonly batchNumber: number; readonly balanceWei: bigint }
  | { readonly id: number; readonly problem: Problem };

export const holdings = signal<Holdings | null>(null);

/** Account that the visitor chose among several of an address, in this browser. */
export const chosenLeafId = signal<number | null>(readChosen());

const CHOSEN = "openledger.account";

/** null outside of a browser, too. */
function readChosen(): number | null {
  const text = globalThis.localStorage?.getItem(CHOSEN) ?? null;
  return text !== null && /^\d{1,8}$/.test(text) ? Number(text) : null;
}

export function chooseAccount(id: number): void {
  localStorage.setItem(CHOSEN, String(id));
  chosenLeafId.value = id;
}

/** The account that the page acts for: the chosen one, else the address' first. */
export function mainAccount(now: Holdings | null): LedgerLeaf | null {
  const accounts = now?.accounts ?? [];
  return accounts.find(({ id }) => id === chosenLeafId.value) ?? accounts[0] ?? null;
}
