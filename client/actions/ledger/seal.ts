import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface SealParameters extends SigningOptions {
  modelId: number;
}
export type SealReturnType = SendResult;

export type SealErrorCode =
  | "OP_NOTHING_TO_SEAL"
  | "OP_EPOCH_UNSETTLED"
  | "OP_TOO_EARLY"
  | "SEQ_TOO_EARLY"
  | SigningErrorCode;

/**
 * Closes a model's open epoch, so that it can be settled. The model seals whenever it wants, and pays by itself where
 * `from` is not given; any other leaf from 24 hours after the epoch's beginning on, by batches' timestamps: 23 hours
 * or more on L1.
 * @throws OP_NOTHING_TO_SEAL, OP_EPOCH_UNSETTLED, OP_TOO_EARLY, SEQ_TOO_EARLY, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { hash } = await seal(client, { modelId: 11 });
 * await waitFor(client, { hash }, "posted");
 * ```
 */
export async function seal(client: LedgerClient, parameters: SealParameters): Promise<SealReturnType> {
  const { modelId } = parameters;
  return signAndSend(client, { kind: "seal", b: modelId }, { from: modelId, ...parameters });
}
