import { packClaim } from "../../../circuits/batch/epoch-operations.ts";
import { CLAIM_ROLE, type ClaimRole } from "../../../circuits/ledger/rewards.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface ClaimRewardsParameters extends SigningOptions {
  modelId: number;
  /** Of the model's slot table. */
  slotIndex: number;
  /** In which the signer has the slot. */
  role: keyof typeof CLAIM_ROLE;
}
export type ClaimRewardsReturnType = SendResult;

export type ClaimRewardsErrorCode = "OP_NOT_SLOT_OWNER" | "OP_MODEL_NOT_READY" | SigningErrorCode;

/**
 * Moves everything that a slot's contributor or validator has earned and not claimed yet to his account in the ledger.
 * @throws OP_NOT_SLOT_OWNER, OP_MODEL_NOT_READY, CLI_RECEIPT_INVALID
 * @example
 * ```ts
 * const { rewards } = await getRewards(client, 7);
 * for (const { modelId, slotIndex, role, claimableWei } of rewards) {
 *   if (claimableWei > 0n) await claimRewards(client, { from: 7, modelId, slotIndex, role });
 * }
 * ```
 */
export async function claimRewards(
  client: LedgerClient,
  parameters: ClaimRewardsParameters,
): Promise<ClaimRewardsReturnType> {
  const { modelId, slotIndex, role } = parameters;
  const claimRole: ClaimRole = CLAIM_ROLE[role];
  return signAndSend(
    client,
    { kind: "claim", b: modelId, words: [packClaim(slotIndex, claimRole)] },
    parameters,
  );
}
