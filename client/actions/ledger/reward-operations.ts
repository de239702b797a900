/**
 * Signed operations about rewards: a payee (contributor and validator that share in what rows earn) claims, and an
 * epoch is closed for settlement, by the model or, after a day, by anyone. Commands, pages and the settling daemon
 * call them.
 */
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { PAYEE_ROLE, type PayeeRole } from "@openledger/circuits/ledger/rewards";
import type { LedgerClient } from "../../ledger-client.ts";
import {
  type SendResult,
  type SigningErrorCode,
  type SigningOptions,
  signAndSend,
} from "./send-operation.ts";

export interface ClaimRewardsParameters extends SigningOptions {
  modelId: number;
  /** Place in the model's payee table. */
  payeeIndex: number;
  /** Role in which the signer is half of the payee. */
  role: keyof typeof PAYEE_ROLE;
}
export type ClaimRewardsReturnType = SendResult;

export type ClaimRewardsErrorCode = "OP_NOT_PAYEE" | "OP_MODEL_NOT_READY" | SigningErrorCode;

/**
 * Moves all rewards that a payee's contributor or validator has earned and not claimed yet to their account in the
 * ledger.
 * @throws OP_NOT_PAYEE, OP_MODEL_NOT_READY, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { rewards } = await getRewards(client, 7);
 * for (const { modelId, payeeIndex, role, claimableWei } of rewards) {
 *   if (claimableWei > 0n) await claimRewards(client, { from: 7, modelId, payeeIndex, role });
 * }
 * ```
 */
export async function claimRewards(
  client: LedgerClient,
  parameters: ClaimRewardsParameters,
): Promise<ClaimRewardsReturnType> {
  const { modelId, payeeIndex, role } = parameters;
  const payeeRole: PayeeRole = PAYEE_ROLE[role];
  return signAndSend(
    client,
    { kind: "claimRewards", b: modelId, words: [packClaim(payeeIndex, payeeRole)] },
    parameters,
  );
}

export interface CloseEpochParameters extends SigningOptions {
  modelId: number;
}
export type CloseEpochReturnType = SendResult;

export type CloseEpochErrorCode =
  | "OP_NOTHING_TO_CLOSE"
  | "OP_EPOCH_UNSETTLED"
  | "OP_TOO_EARLY"
  | "SEQ_TOO_EARLY"
  | SigningErrorCode;

/**
 * Closes a model's open epoch, so that it can be settled. The model may close at any time, and pays by itself if `from`
 * is not given. Any other leaf may close from 24 hours after the epoch's beginning on, by batches' timestamps: 23 hours
 * or more on L1.
 * @throws OP_NOTHING_TO_CLOSE, OP_EPOCH_UNSETTLED, OP_TOO_EARLY, SEQ_TOO_EARLY, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { hash } = await closeEpoch(client, { modelId: 11 });
 * await waitFor(client, { hash }, "posted");
 * ```
 */
export async function closeEpoch(
  client: LedgerClient,
  parameters: CloseEpochParameters,
): Promise<CloseEpochReturnType> {
  const { modelId } = parameters;
  return signAndSend(client, { kind: "closeEpoch", b: modelId }, { from: modelId, ...parameters });
}
