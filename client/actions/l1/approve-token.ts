import { openTokenAbi } from "../../../contracts/build/rollup-abi.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { callContract, type L1Options, type L1Result } from "./l1-transaction.ts";

export interface ApproveTokenParameters extends L1Options {
  amountWei: bigint;
}
export type ApproveTokenReturnType = L1Result;

/** Lets the rollup take OPEN from the L1 account. @throws CLI_NO_L1_ACCOUNT, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE */
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
