import type { LedgerClient } from "../../ledger-client.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced } from "./send-forced.ts";

export interface ForceSetKeyParameters extends ForcedOptions {
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  /** The new key; 0 leaves the leaf to forced operations alone. */
  keyX: bigint;
}
export type ForceSetKeyReturnType = QueueResult;

export type ForceSetKeyErrorCode = ForcedErrorCode;

/**
 * Replaces a leaf's key through the L1 queue, for an owner who has lost the old one. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const { queueIndex } = await forceSetKey(client, { id: 7, keyX });
 * ```
 */
export async function forceSetKey(
  client: LedgerClient,
  parameters: ForceSetKeyParameters,
): Promise<ForceSetKeyReturnType> {
  return sendForced(client, "forceSetKey", [parameters.id, parameters.keyX], parameters);
}
