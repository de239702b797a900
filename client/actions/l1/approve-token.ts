import { openTokenAbi } from "../../../contracts/build/rollup-abi.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import type { L1ErrorCode } from "./l1-transaction.ts";
import { callContract, type L1Options, type L1Result } from "./l1-transaction.ts";

export interface ApproveTokenParameters extends L1Options {
  amountWei: bigint;
}
export type ApproveTokenReturnType = L1Result;

export type ApproveTokenErrorCode = L1ErrorCode;

/**
 * Lets the rollup take OPEN from the L1 account.
 * @throws CLI_NO_L1_ACCOUNT, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * await approveToken(client, { amountWei: parseOpen("100") });
 * ```
 */
export async function approveToken(
  client: LedgerClient,
  parameters: ApproveTokenParameters,
): Promise<ApproveTokenReturnType> {
  return callContract(
    client,
    {
      address: client.tokenAddress,
      abi: openTokenAbi,
      functionName: "approve",
      args: [client.rollupAddress, parameters.amountWei],
    },
    parameters,
  );
}
