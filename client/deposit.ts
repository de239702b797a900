import type { Address } from "viem";
import { rollupAbi } from "../contracts/rollup-abi.ts";
import { approveToken } from "./approve-token.ts";
import { clientError } from "./client-errors.ts";
import { callContract, type L1Options } from "./l1-transaction.ts";
import { type LedgerClient, requireWallet, tokenContract } from "./ledger-client.ts";
import { formatOpen } from "./open-amount.ts";
import { type QueueResult, readQueueResult } from "./queue-result.ts";
import { type SignedPermit, signPermit } from "./sign-permit.ts";

interface CommonParameters extends L1Options {
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
  /** Whose leaf it is: the deposit is refused, and can be claimed back, if it is another's by then. */
  expectedOwner: Address;
}
export type DepositParameters = DepositNewParameters | DepositToParameters;
export type DepositReturnType = QueueResult;

/**
 * Brings OPEN into the ledger: into a new account, or to an existing leaf where `to` is given.
 * @throws CLI_NO_L1_ACCOUNT, CLI_TOKEN_BALANCE_TOO_LOW, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 */
export async function deposit(
  client: LedgerClient,
  parameters: DepositParameters,
): Promise<DepositReturnType> {
  const { amountWei } = parameters;
  const { address: sender } = requireWallet(client).account;
  const token = tokenContract(client);
  const [balanceWei, allowanceWei] = await Promise.all([
    client.l1.readContract({ ...token, functionName: "balanceOf", args: [sender] }),
    client.l1.readContract({ ...token, functionName: "allowance", args: [sender, client.rollupAddress] }),
  ]);
  if (balanceWei < amountWei) {
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${sender} holds ${formatOpen(balanceWei)} OPEN on L1, the deposit needs ${formatOpen(amountWei)}`,
      { data: { address: sender, balanceWei, amountWei } },
    );
  }
  let permit: SignedPermit | null = null;
  if (allowanceWei < amountWei) {
    if (parameters.permission === "approve") await approveToken(client, { amountWei });
    else permit = await signPermit(client, amountWei);
  }
  const args =
    "to" in parameters
      ? [parameters.to, amountWei, parameters.expectedOwner]
      : [amountWei, parameters.l1Owner ?? sender, parameters.keyX ?? client.l2Key?.keyX ?? 0n];
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
