import { WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import type { Address } from "viem";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import { refuseRollup } from "../l1/refuse-rollup.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced } from "./send-forced.ts";

export interface ForceWithdrawParameters extends ForcedOptions {
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  amountWei: bigint | "all";
  /** Default: the L1 account. */
  recipient?: Address;
}
export type ForceWithdrawReturnType = QueueResult;

export type ForceWithdrawErrorCode = ForcedErrorCode | "CLI_RECIPIENT_IS_ROLLUP";

/**
 * Withdraws through the L1 queue, which no sequencer can leave out. Burns the queue's fee.
 * @throws CLI_NO_L1_ACCOUNT, CLI_QUEUE_FEE_TOO_HIGH, CLI_RECIPIENT_IS_ROLLUP, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * const { queueIndex, burnedFeeWei } = await forceWithdraw(client, { id: 7, amountWei: "all", maxFeeWei: parseOpen("8") });
 * ```
 */
export async function forceWithdraw(
  client: LedgerClient,
  parameters: ForceWithdrawParameters,
): Promise<ForceWithdrawReturnType> {
  const { id, amountWei, recipient } = parameters;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  const payee = recipient ?? requireWallet(client).account.address;
  refuseRollup(client, payee);
  const args = [id, wei, payee];
  return sendForced(client, "forceWithdraw", args, parameters);
}
