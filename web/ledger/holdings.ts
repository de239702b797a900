/** What the connected address has, on Ethereum and in the ledger. */
import { signal } from "@preact/signals";
import { getL1Balances, type L1Balances } from "../../client/actions/l1/l1-balances.ts";
import { rollupContract } from "../../client/ledger-client.ts";
import { findLeaves } from "../../client/sequencer/ledger-reads.ts";
import type { LedgerLeaf } from "../../client/sequencer/sequencer-schemas.ts";
import type { Session } from "./session.ts";

export interface Holdings {
  readonly address: string;
  /** By the Ethereum node. */
  readonly l1: L1Balances;
  /** Accounts of the address, by the sequencer. */
  readonly accounts: readonly LedgerLeaf[];
  /** What the contract asks for a deposit into a new account, and into one that is there. */
  readonly depositFeesWei: { readonly new: bigint; readonly existing: bigint };
  readonly minDepositWei: bigint;
}

export const holdings = signal<Holdings | null>(null);

/** @throws CLI_L1_UNREACHABLE, CLI_SEQUENCER_… */
export async function refreshHoldings({ address, client }: Session): Promise<void> {
  const contract = rollupContract(client);
  const feeWei = (isNew: boolean) =>
    client.l1.readContract({ ...contract, functionName: "depositFeeWei", args: [isNew] });
  const [l1, leaves, newFeeWei, existingFeeWei, minDepositWei] = await Promise.all([
    getL1Balances(client, address),
    findLeaves(client, { owner: address }),
    feeWei(true),
    feeWei(false),
    client.l1.readContract({ ...contract, functionName: "minDepositWei" }),
  ]);
  holdings.value = {
    address,
    l1,
    accounts: leaves.filter(({ kind }) => kind === "account"),
    depositFeesWei: { new: newFeeWei, existing: existingFeeWei },
    minDepositWei,
  };
}

/** The account that the page acts for: the address' first. */
export function mainAccount(now: Holdings | null): LedgerLeaf | null {
  return now?.accounts[0] ?? null;
}
