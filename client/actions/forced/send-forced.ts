import { clientError } from "../../client-errors.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../../ledger-client.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import { approveToken } from "../l1/approve-token.ts";
import { callContract } from "../l1/l1-transaction.ts";
import { allowedFeeWei, type QueueOptions } from "./queue-fee.ts";
import { type QueueResult, readQueueResult } from "./queue-result.ts";

type ForcedFunction =
  | "forceWithdraw"
  | "forceSetKey"
  | "forceSetOwner"
  | "forceTransfer"
  | "forceCollect"
  | "forceSeal";

/**
 * Sends a forced operation, after an approval for its burned fee where the allowance is too low.
 * @throws CLI_NO_L1_ACCOUNT, CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @internal
 */
export async function sendForced(
  client: LedgerClient,
  functionName: ForcedFunction,
  args: readonly unknown[],
  options: QueueOptions,
): Promise<QueueResult> {
  const { address: sender } = requireWallet(client).account;
  const token = tokenContract(client);
  const [feeWei, balanceWei, allowanceWei] = await Promise.all([
    client.l1.readContract({ ...rollupContract(client), functionName: "queueFeeWei" }),
    client.l1.readContract({ ...token, functionName: "balanceOf", args: [sender] }),
    client.l1.readContract({
      ...token,
      functionName: "allowance",
      args: [sender, client.rollupAddress],
    }),
  ]);
  const maxFeeWei = allowedFeeWei(feeWei, options.maxFeeWei);
  // Before an approval is paid for.
  if (balanceWei < feeWei) {
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${sender} holds ${formatOpen(balanceWei)} OPEN on L1, a forced operation burns ${formatOpen(feeWei)} there`,
      { data: { address: sender, balanceWei, feeWei } },
    );
  }
  if (allowanceWei < maxFeeWei) await approveToken(client, { amountWei: maxFeeWei });
  const { address, abi } = rollupContract(client);
  return readQueueResult(
    await callContract(client, { address, abi, functionName, args: [...args, maxFeeWei] }, options),
  );
}
