import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced } from "./send-forced.ts";

export interface ForceSetOwnerParameters extends ForcedOptions {
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  newOwner: Address;
}
export type ForceSetOwnerReturnType = QueueResult;

export type ForceSetOwnerErrorCode = ForcedErrorCode;

/**
 * Hands a leaf over to another Ethereum address. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @example
 * ```ts
 * await forceSetOwner(client, { id: 7, newOwner: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" });
 * ```
 */
export async function forceSetOwner(
  client: LedgerClient,
  parameters: ForceSetOwnerParameters,
): Promise<ForceSetOwnerReturnType> {
  return sendForced(client, "forceSetOwner", [parameters.id, parameters.newOwner], parameters);
}
