/**
 * Approval of OPEN for the rollup, as ERC-20 has it: `deposit` and `force` send it where they get permission that way.
 */
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import type { Address } from "viem";
import { effectOf } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1Call, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

export interface ApproveTokenParameters extends L1Options {
  amountWei: bigint;
}
export type ApproveTokenReturnType = L1Result;

export type ApproveTokenErrorCode = L1ErrorCode;

/**
 * Lets the rollup take OPEN from the L1 account.
 * @throws CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * await approveToken(client, { amountWei: parseOpen("100") });
 * ```
 */
export async function approveToken(
  client: LedgerClient,
  parameters: ApproveTokenParameters,
): Promise<ApproveTokenReturnType> {
  return callContract(client, approval(client, parameters.amountWei), parameters);
}

/**
 * Call that lets the rollup take an amount of OPEN.
 * @param owner holder of the OPEN; default: the client's wallet
 * @throws CLI_NOT_CONFIGURED
 * @internal
 */
export function approval(
  client: LedgerClient,
  amountWei: bigint,
  owner: Address = requireWallet(client).account.address,
): L1Call {
  const spender = client.rollupAddress;
  return {
    address: client.tokenAddress,
    abi: openTokenAbi,
    functionName: "approve",
    args: [spender, amountWei],
    effect: effectOf("token", "Approval", { owner, spender, value: amountWei }),
  };
}
