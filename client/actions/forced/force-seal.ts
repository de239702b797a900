import type { LedgerClient } from "../../ledger-client.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced } from "./send-forced.ts";

export interface ForceSealParameters extends ForcedOptions {
  modelId: number;
}
export type ForceSealReturnType = QueueResult;

export type ForceSealErrorCode = ForcedErrorCode;

/**
 * Closes a model's open epoch through the L1 queue, which no sequencer can leave out. Anyone may, 24 hours after the
 * timestamp at which the epoch began, which may be an hour older than its block; younger ones stay open. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { queueIndex } = await forceSeal(client, { modelId: 11 });
 * ```
 */
export async function forceSeal(
  client: LedgerClient,
  parameters: ForceSealParameters,
): Promise<ForceSealReturnType> {
  return sendForced(client, "forceSeal", [parameters.modelId], parameters);
}
