import type { Address } from "viem";
import { rollupAbi } from "../../../contracts/build/rollup-abi.ts";
import { clientError } from "../../client-errors.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../../ledger-client.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import type { QueueErrorCode } from "../forced/queue-fee.ts";
import { allowedFeeWei, type QueueOptions } from "../forced/queue-fee.ts";
import { type QueueResult, readQueueResult } from "../forced/queue-result.ts";
import { approveToken } from "./approve-token.ts";
import { callContract } from "./l1-transaction.ts";
import { type SignedPermit, signPermit } from "./sign-permit.ts";

interface CommonParameters extends QueueOptions {
  /** What arrives in the ledger. The fee is paid besides. */
  amountWei: bigint;
  /**
   * How the rollup gets leave to take the OPEN where the allowance is too low. "permit" needs no transaction of its
   * own, but a wallet that signs typed data; "approve" sends one. Default: permit.
   */
  permission?: "permit" | "approve";
}
export interface DepositNewParameters extends CommonParameters {
  /** Default: the L1 account. */
  l1Owner?: Address;
  /** Default: the client's key; 0 for an account that moves by forced operations only. */
  keyX?: bigint;
}
export interface DepositToParameters extends CommonParameters {
  /** An existing leaf. */
  to: number;
  /** Whose leaf it is: if it is another's by then the deposit is refused; it can be claimed back less the base fee. */
  expectedOwner: Address;
}
export type DepositParameters = DepositNewParameters | DepositToParameters;
export type DepositReturnType = QueueResult;

export type DepositErrorCode = QueueErrorCode;

/**
 * Brings OPEN into the ledger: into a new account, or to an existing leaf where `to` is given. A new account burns the id
 * fee besides, and so does either where many deposits wait (`depositFeeWei` of the contract).
 * @throws CLI_NO_L1_ACCOUNT, CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * try {
 *   const { queueIndex } = await deposit(client, { amountWei: parseOpen("10") });
 *   await waitFor(client, { queueIndex }, "acknowledged");
 * } catch (error) {
 *   if (!isClientError(error, "CLI_TOKEN_BALANCE_TOO_LOW")) throw error;
 *   console.log(`the wallet holds only ${formatOpen(error.data.balanceWei)} OPEN`);
 * }
 * ```
 */
export async function deposit(
  client: LedgerClient,
  parameters: DepositParameters,
): Promise<DepositReturnType> {
  const { amountWei } = parameters;
  const { address: sender } = requireWallet(client).account;
  const token = tokenContract(client);
  const [feeWei, balanceWei, allowanceWei] = await Promise.all([
    client.l1.readContract({
      ...rollupContract(client),
      functionName: "depositFeeWei",
      args: [!("to" in parameters)],
    }),
    client.l1.readContract({ ...token, functionName: "balanceOf", args: [sender] }),
    client.l1.readContract({ ...token, functionName: "allowance", args: [sender, client.rollupAddress] }),
  ]);
  const maxFeeWei = allowedFeeWei(feeWei, parameters.maxFeeWei);
  if (balanceWei < amountWei + feeWei) {
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${sender} holds ${formatOpen(balanceWei)} OPEN on L1, the deposit needs ${formatOpen(amountWei)} and a fee of ${formatOpen(feeWei)}`,
      { data: { address: sender, balanceWei, amountWei, feeWei } },
    );
  }
  const mostWei = amountWei + maxFeeWei;
  let permit: SignedPermit | null = null;
  if (allowanceWei < mostWei) {
    if (parameters.permission === "approve") await approveToken(client, { amountWei: mostWei });
    else permit = await signPermit(client, mostWei);
  }
  const args =
    "to" in parameters
      ? [parameters.to, amountWei, parameters.expectedOwner, maxFeeWei]
      : [amountWei, parameters.l1Owner ?? sender, parameters.keyX ?? client.l2Key?.keyX ?? 0n, maxFeeWei];
  const functionName = `${"to" in parameters ? "depositTo" : "depositNew"}${permit === null ? "" : "WithPermit"}`;
  const result = await callContract(
    client,
    {
      address: client.rollupAddress,
      abi: rollupAbi,
      functionName,
      args: permit === null ? args : [...args, permit],
    },
    parameters,
  );
  return readQueueResult(result);
}
