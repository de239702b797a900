import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import { refuseRollup } from "../l1/refuse-rollup.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface WithdrawParameters extends SigningOptions {
  /** Exact, any number of wei. */
  amountWei: bigint;
  /** Who may claim it on L1 once the batch is posted. */
  recipient: Address;
}
export type WithdrawReturnType = SendResult;

export type WithdrawErrorCode = "OP_BALANCE_TOO_LOW" | "CLI_INPUT_INVALID" | SigningErrorCode;

/**
 * Takes OPEN out of the ledger; `claim` pays it out once its batch is posted.
 * @throws OP_BALANCE_TOO_LOW, CLI_INPUT_INVALID, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { hash } = await withdraw(client, { amountWei: parseOpen("5"), recipient: account.address });
 * ```
 */
export async function withdraw(
  client: LedgerClient,
  parameters: WithdrawParameters,
): Promise<WithdrawReturnType> {
  const { amountWei, recipient } = parameters;
  refuseRollup(client, recipient);
  return signAndSend(client, { kind: "withdraw", words: [BigInt(recipient), amountWei] }, parameters);
}
