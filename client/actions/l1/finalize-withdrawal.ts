/** Last step of a withdrawal: pays out on L1 what posted batches have credited to an address, in wei. */
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import type { Address } from "viem";
import { effectOf, findEffectArgs } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

export interface FinalizeWithdrawalParameters extends L1Options {
  /** Address with the credit; the tokens go to it, whoever sends the transaction. Default: the L1 account. */
  owner?: Address;
}
export interface FinalizeWithdrawalReturnType extends L1Result {
  amountWei: bigint;
}

export type FinalizeWithdrawalErrorCode = L1ErrorCode;

/**
 * Pays out an address's credit on L1: withdrawals of posted batches, and refused deposits.
 * @throws CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED (RollupNothingToFinalize),
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { hash } = await withdraw(client, { amountWei: parseOpen("5"), recipient: account.address });
 * await waitFor(client, { hash }, "finalizable");
 * const { amountWei } = await finalizeWithdrawal(client);
 * ```
 */
export async function finalizeWithdrawal(
  client: LedgerClient,
  parameters: FinalizeWithdrawalParameters = {},
): Promise<FinalizeWithdrawalReturnType> {
  const owner = parameters.owner ?? requireWallet(client).account.address;
  const call = {
    address: client.rollupAddress,
    abi: rollupUserAbi,
    functionName: "finalizeWithdrawal",
    args: [owner],
    effect: effectOf("rollup", "WithdrawalFinalized", { recipient: owner }),
  };
  const result = await callContract(client, call, parameters);
  const paidOut = findEffectArgs(client, call.effect, result.receipt.logs);
  return { ...result, amountWei: (paidOut?.amountWei ?? 0n) as bigint };
}
