/** Limit that `deposit` and `force` put on the fee of an entry in L1's queue. Fees are wei of OPEN, and are burned. */
import { clientError } from "../../client-errors.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import type { L1ErrorCode, L1Options } from "../l1/l1-transaction.ts";

/** Error codes of every verb that puts an entry into the L1 queue. */
export type QueueErrorCode = L1ErrorCode | "CLI_QUEUE_FEE_TOO_HIGH" | "CLI_TOKEN_BALANCE_TOO_LOW";

/** Options of every verb that puts an entry into the L1 queue. */
export interface QueueOptions extends L1Options {
  /**
   * Maximum wei of OPEN to burn: the contract refuses a fee that has risen above it. Default: the contract's fee when the
   * call is made.
   */
  maxFeeWei?: bigint;
}

/**
 * Maximum fee that the call may burn, in wei.
 * @throws CLI_QUEUE_FEE_TOO_HIGH where the contract's fee is already above it
 * @internal
 */
export function allowedFeeWei(feeWei: bigint, maxFeeWei: bigint = feeWei): bigint {
  if (feeWei <= maxFeeWei) return maxFeeWei;
  throw clientError(
    "CLI_QUEUE_FEE_TOO_HIGH",
    `L1's queue asks a fee of ${formatOpen(feeWei)} OPEN, and at most ${formatOpen(maxFeeWei)} are allowed`,
    { data: { feeWei, maxFeeWei } },
  );
}
