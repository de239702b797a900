import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface RevokeModelParameters extends SigningOptions {
  /** The datanet: it signs for itself. */
  datanetId: number;
  modelId: number;
}
export type RevokeModelReturnType = SendResult;

export type RevokeModelErrorCode = "OP_MODEL_NOT_OF_DATANET" | SigningErrorCode;

/**
 * Stops new payments to a model; what was paid stays where it is.
 * @throws OP_MODEL_NOT_OF_DATANET, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * await revokeModel(client, { datanetId: 10, modelId: 11 });
 * ```
 */
export async function revokeModel(
  client: LedgerClient,
  parameters: RevokeModelParameters,
): Promise<RevokeModelReturnType> {
  const { datanetId, modelId } = parameters;
  return signAndSend(client, { kind: "revokeModel", b: modelId }, { ...parameters, from: datanetId });
}
