/**
 * Withdrawal of OPEN in its two steps: out of the ledger by a signed operation, and, once its batch is posted, paid out on L1. The
 * commands, the page and the devnet draw both. Amounts are in wei.
 */
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { type Address, parseEventLogs } from "viem";
import {
  type FinalizeWithdrawalErrorCode,
  type FinalizeWithdrawalParameters,
  type FinalizeWithdrawalReturnType,
  finalizeWithdrawal,
} from "../actions/l1/finalize-withdrawal.ts";
import type { L1Result } from "../actions/l1/l1-result.ts";
import { refuseRollup } from "../actions/l1/refuse-rollup.ts";
import {
  type WithdrawErrorCode,
  type WithdrawParameters,
  withdraw,
} from "../actions/ledger/account-operations.ts";
import type { SendResult } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireWallet, rollupContract } from "../ledger-client.ts";
import { estimateFees, likelyFeeWei } from "../sequencer/fees.ts";
import { requireAmount, requireBalance, requireSigner } from "./before-signing.ts";

export interface WithdrawOpenParameters extends Omit<WithdrawParameters, "amountWei" | "recipient"> {
  /** "all" leaves what the operation's own fee may cost. */
  amountWei: bigint | "all";
  /** Address that may finalize it on L1. Default: the client's wallet. */
  recipient?: Address;
}
export interface WithdrawOpenReturnType {
  readonly sent: SendResult;
  readonly amountWei: bigint;
  readonly recipient: Address;
}
export type WithdrawOpenErrorCode = "OP_BAD_SIGNATURE" | WithdrawErrorCode;

/**
 * Takes OPEN out of the ledger, once everything that would refuse it has been looked at. `finalizeWithdrawals` pays it out.
 * @throws CLI_INPUT_INVALID for no amount, or the rollup as its recipient; OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW,
 *   CLI_NOT_CONFIGURED, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { sent } = await withdrawOpen(client, { amountWei: "all" });
 * await waitFor(client, { withdrawal: { hash: sent.hash } }, "finalizable");
 * await finalizeWithdrawals(client);
 * ```
 */
export async function withdrawOpen(
  client: LedgerClient,
  { amountWei: wanted, recipient: named, ...signing }: WithdrawOpenParameters,
): Promise<WithdrawOpenReturnType> {
  const recipient = named ?? requireWallet(client).account.address;
  refuseRollup(client, recipient);
  if (wanted !== "all") requireAmount(wanted);
  const payer = await requireSigner(client, signing.from);
  const amountWei =
    wanted === "all" ? payer.balanceWei - likelyFeeWei(await estimateFees(client), "withdraw") : wanted;
  // All of a balance that pays no fee is no amount either: the fee is what is missing.
  await requireBalance(client, payer, "withdraw", amountWei > 0n ? amountWei : 1n);
  const sent = await withdraw(client, { ...signing, from: payer.id, amountWei, recipient });
  return { sent, amountWei, recipient };
}

export type FinalizeWithdrawalsErrorCode = "CLI_NOTHING_TO_FINALIZE" | FinalizeWithdrawalErrorCode;

/**
 * Pays out on L1 everything that posted batches have credited to an address. A second call after an interruption finds nothing left
 * where the first one's transaction was mined.
 * @throws CLI_NOTHING_TO_FINALIZE before a transaction is paid for; CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { amountWei } = await finalizeWithdrawals(client);
 * console.log(formatOpen(amountWei));
 * ```
 */
export async function finalizeWithdrawals(
  client: LedgerClient,
  parameters: FinalizeWithdrawalParameters = {},
): Promise<FinalizeWithdrawalReturnType> {
  const owner = parameters.owner ?? requireWallet(client).account.address;
  const owedWei = await client.l1.readContract({
    ...rollupContract(client),
    functionName: "pendingWithdrawals",
    args: [owner],
  });
  if (owedWei === 0n)
    throw clientError(
      "CLI_NOTHING_TO_FINALIZE",
      `L1 owes ${owner} nothing: no posted batch has credited more`,
      {
        data: { owner },
      },
    );
  return finalizeWithdrawal(client, { ...parameters, owner });
}

/**
 * Amount that a payout's transaction paid, in wei: also where an earlier call has sent it.
 * @internal
 */
export function readPaidOutWei({ receipt: { logs } }: L1Result): bigint {
  const [paidOut] = parseEventLogs({ abi: rollupUserAbi, logs, eventName: "WithdrawalFinalized" });
  return paidOut?.args.amountWei ?? 0n;
}
