/** Transfer of OPEN between addresses on L1, outside the ledger. Amounts are in wei. */
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import type { Address } from "viem";
import { effectOf } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

export interface SendTokenParameters extends L1Options {
  to: Address;
  amountWei: bigint;
}
export type SendTokenReturnType = L1Result;

export type SendTokenErrorCode = L1ErrorCode;

/**
 * Moves OPEN on L1.
 * @throws CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { transactionHash } = await sendToken(client, { to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", amountWei: parseOpen("2") });
 * ```
 */
export async function sendToken(
  client: LedgerClient,
  parameters: SendTokenParameters,
): Promise<SendTokenReturnType> {
  const { to, amountWei } = parameters;
  const from = requireWallet(client).account.address;
  const call = {
    address: client.tokenAddress,
    abi: openTokenAbi,
    functionName: "transfer",
    args: [to, amountWei],
    effect: effectOf("token", "Transfer", { from, to, value: amountWei }),
  };
  return callContract(client, call, parameters);
}
