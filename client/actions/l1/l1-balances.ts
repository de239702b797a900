/**
 * Money of an address on L1, in wei: ether, OPEN, and what it can take from the rollup or lets it take. The command
 * line and pages show it.
 */
import type { Address } from "viem";
import { clientError } from "../../client-errors.ts";
import { type LedgerClient, rollupContract, tokenContract } from "../../ledger-client.ts";

export interface L1Balances {
  etherWei: bigint;
  /** OPEN that the address holds. */
  tokenWei: bigint;
  /** OPEN that it can finalize from the rollup. */
  pendingWei: bigint;
  /** OPEN that the rollup may take from it. */
  allowanceWei: bigint;
}

export type GetL1BalancesErrorCode = "CLI_UNREACHABLE";

/**
 * Reads the balances of an address on L1.
 * @throws CLI_UNREACHABLE
 * @example
 * ```ts
 * const { tokenWei, pendingWei } = await getL1Balances(client, account.address);
 * console.log(`${formatOpen(tokenWei)} OPEN in the wallet, ${formatOpen(pendingWei)} to finalize`);
 * ```
 */
export async function getL1Balances(client: LedgerClient, owner: Address): Promise<L1Balances> {
  const { l1, rollupAddress } = client;
  const token = tokenContract(client);
  try {
    const [etherWei, tokenWei, pendingWei, allowanceWei] = await Promise.all([
      l1.getBalance({ address: owner }),
      l1.readContract({ ...token, functionName: "balanceOf", args: [owner] }),
      l1.readContract({ ...rollupContract(client), functionName: "pendingWithdrawals", args: [owner] }),
      l1.readContract({ ...token, functionName: "allowance", args: [owner, rollupAddress] }),
    ]);
    return { etherWei, tokenWei, pendingWei, allowanceWei };
  } catch (cause) {
    throw clientError("CLI_UNREACHABLE", `cannot read the balances of ${owner}`, {
      data: { server: "L1", owner },
      cause,
    });
  }
}
