import { CLAIM_ROLE } from "../../../circuits/ledger/rewards.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import type { QueueErrorCode, QueueOptions } from "./queue-fee.ts";
import type { QueueResult } from "./queue-result.ts";
import { sendForced } from "./send-forced.ts";

export interface ForceClaimParameters extends QueueOptions {
  /** The contributor's or validator's leaf; its l1Owner must be the client's L1 account. */
  id: number;
  modelId: number;
  /** Of the model's slot table. */
  slotIndex: number;
  /** In which the leaf has the slot. */
  role: keyof typeof CLAIM_ROLE;
}
export type ForceClaimReturnType = QueueResult;

export type ForceClaimErrorCode = QueueErrorCode;

/**
 * Claims a slot's rewards through the L1 queue, which no sequencer can leave out: all that is earned when the entry is
 * executed goes to the leaf's balance. Burns the queue's fee, also where the slot is another's.
 * @throws CLI_NO_L1_ACCOUNT, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * await forceClaim(client, { id: 7, modelId: 11, slotIndex: 0, role: "contributor" });
 * ```
 */
export async function forceClaim(
  client: LedgerClient,
  parameters: ForceClaimParameters,
): Promise<ForceClaimReturnType> {
  const { id, modelId, slotIndex, role } = parameters;
  const isValidator = CLAIM_ROLE[role] === CLAIM_ROLE.validator;
  return sendForced(client, "forceClaim", [id, modelId, slotIndex, isValidator], parameters);
}
