import { WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced } from "./send-forced.ts";

export interface ForceTransferParameters extends ForcedOptions {
  /** The leaf that pays; its l1Owner must be the client's L1 account. */
  id: number;
  /** The payee's leaf. */
  to: number;
  amountWei: bigint | "all";
  /** The entry has no effect unless the payee's leaf belongs to this address when it is executed. */
  expectedOwner: Address;
}
export type ForceTransferReturnType = QueueResult;

export type ForceTransferErrorCode = ForcedErrorCode;

/**
 * Moves OPEN to another leaf through the L1 queue, which no sequencer can leave out. Burns the queue's fee.
 * @throws CLI_NO_L1_ACCOUNT, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * const { l1Owner: expectedOwner } = await getLeaf(client, 9);
 * await forceTransfer(client, { id: 7, to: 9, amountWei: parseOpen("4"), expectedOwner });
 * ```
 */
export async function forceTransfer(
  client: LedgerClient,
  parameters: ForceTransferParameters,
): Promise<ForceTransferReturnType> {
  const { id, to, amountWei, expectedOwner } = parameters;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  return sendForced(client, "forceTransfer", [id, to, wei, expectedOwner], parameters);
}
