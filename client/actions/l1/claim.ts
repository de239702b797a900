import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Address, parseEventLogs } from "viem";
import { effectOf, findEffectArgs } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

export interface ClaimParameters extends L1Options {
  /** Whose credit; the tokens go to that address, whoever sends the transaction. Default: the L1 account. */
  owner?: Address;
}
export interface ClaimReturnType extends L1Result {
  amountWei: bigint;
}

export type ClaimErrorCode = L1ErrorCode;

/**
 * Pays out what L1 owes to an address: withdrawals of posted batches, and refused deposits.
 * @throws CLI_NO_L1_ACCOUNT, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED (RollupNothingToClaim), CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * const { hash } = await withdraw(client, { amountWei: parseOpen("5"), recipient: account.address });
 * await waitFor(client, { hash }, "claimable");
 * const { amountWei } = await claim(client);
 * ```
 */
export async function claim(
  client: LedgerClient,
  parameters: ClaimParameters = {},
): Promise<ClaimReturnType> {
  const owner = parameters.owner ?? requireWallet(client).account.address;
  const call = {
    address: client.rollupAddress,
    abi: rollupAbi,
    functionName: "claim",
    args: [owner],
    effect: effectOf("rollup", "WithdrawalClaimed", { recipient: owner }),
  };
  const result = await callContract(client, call, parameters);
  const claimed = findEffectArgs(client, call.effect, result.receipt.logs);
  return { ...result, amountWei: (claimed?.amountWei ?? 0n) as bigint };
}

/**
 * What a claim's transaction paid out.
 * @internal
 */
export function readClaimedWei(result: L1Result): bigint {
  const { logs } = result.receipt;
  const [claimed] = parseEventLogs({ abi: rollupAbi, logs, eventName: "WithdrawalClaimed" });
  return claimed?.args.amountWei ?? 0n;
}
