import { packCollect } from "@openledger/circuits/batch/epoch-operations";
import { EARNER_ROLE, type EarnerRole } from "@openledger/circuits/ledger/rewards";
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface CollectRewardsParameters extends SigningOptions {
  modelId: number;
  /** Of the model's earner table. */
  earnerIndex: number;
  /** In which the signer is half of the earner. */
  role: keyof typeof EARNER_ROLE;
}
export type CollectRewardsReturnType = SendResult;

export type CollectRewardsErrorCode = "OP_NOT_EARNER" | "OP_MODEL_NOT_READY" | SigningErrorCode;

/**
 * Moves everything that an earner's contributor or validator has earned and not collected yet to his account in the ledger.
 * @throws OP_NOT_EARNER, OP_MODEL_NOT_READY, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { rewards } = await getRewards(client, 7);
 * for (const { modelId, earnerIndex, role, collectableWei } of rewards) {
 *   if (collectableWei > 0n) await collectRewards(client, { from: 7, modelId, earnerIndex, role });
 * }
 * ```
 */
export async function collectRewards(
  client: LedgerClient,
  parameters: CollectRewardsParameters,
): Promise<CollectRewardsReturnType> {
  const { modelId, earnerIndex, role } = parameters;
  const earnerRole: EarnerRole = EARNER_ROLE[role];
  return signAndSend(
    client,
    { kind: "collect", b: modelId, words: [packCollect(earnerIndex, earnerRole)] },
    parameters,
  );
}
