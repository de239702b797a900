import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import { refuseRollup } from "../l1/refuse-rollup.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface WithdrawParameters extends SigningOptions {
  /** Exact, any number of wei. */
  amountWei: bigint;
  /** Who may claim it on L1 once the batch is posted. */
  recipient: Address;
}
export type WithdrawReturnType = SendResult;

/**
 * Takes OPEN out of the ledger; `claim` pays it out once its batch is posted.
 * @throws OP_BALANCE_TOO_LOW, CLI_RECIPIENT_IS_ROLLUP, CLI_PRECONFIRMATION_INVALID
 */
export async function withdraw(
  client: LedgerClient,
  parameters: WithdrawParameters,
): Promise<WithdrawReturnType> {
  const { amountWei, recipient } = parameters;
  refuseRollup(client, recipient);
  return signAndSend(client, { kind: "withdraw", words: [BigInt(recipient), amountWei] }, parameters);
}
