/**
 * Tells whether the client's L1 account is a contract wallet, such as a Safe. Transactions and permits take another path for
 * those.
 */
import type { Address } from "viem";
import type { LedgerClient } from "./ledger-client.ts";
import { requireWallet } from "./ledger-client.ts";

/** Prefix of the code of an address that still signs with its own key (EIP-7702). */
const DELEGATION = "0xef0100";

export type IsContractWalletErrorCode = "CLI_NOT_CONFIGURED";

/**
 * Returns true if the client's L1 account is a contract: a Safe, or any other that has owners instead of a key. It sends
 * transactions, and signs nothing that a contract checks by `ecrecover`. Always false for a local account.
 * @throws CLI_NOT_CONFIGURED; viem's errors where the node does not answer
 * @example
 * ```ts
 * const permission = (await isContractWallet(client)) ? "batch" : "permit";
 * await deposit(client, { amountWei: parseOpen("10"), permission });
 * ```
 */
export async function isContractWallet(client: LedgerClient): Promise<boolean> {
  const { account } = requireWallet(client);
  return account.type !== "local" && (await isContractAt(client.l1, account.address));
}

/**
 * Returns true if an address has code and no key of its own.
 * @throws viem's errors where the node does not answer
 * @internal
 */
export async function isContractAt(
  l1: Pick<LedgerClient["l1"], "getCode">,
  address: Address,
): Promise<boolean> {
  const code = await l1.getCode({ address });
  return code !== undefined && code !== "0x" && !code.toLowerCase().startsWith(DELEGATION);
}
