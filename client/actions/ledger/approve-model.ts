import { hashStatics, type ModelStatics } from "@openledger/circuits/ledger/leaf";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";
import { requireSettlingCircuit } from "./settling-circuit.ts";

export interface ApproveModelParameters extends SigningOptions {
  /** The datanet: it signs for itself. */
  datanetId: number;
  modelId: number;
  /** What the model was created with, as the approver has checked it. */
  statics: ModelStatics;
}
export type ApproveModelReturnType = SendResult;

export type ApproveModelErrorCode =
  | "CLI_NO_SETTLING_CIRCUIT"
  | "OP_MODEL_NOT_OF_DATANET"
  | "OP_APPROVAL_TOO_EARLY"
  | "OP_DATANET_NOT_PUBLISHED"
  | SigningErrorCode;

/**
 * Lets a model take payments for the datanet's published version, from 24 hours of batches' timestamps after its
 * publication: 23 hours or more on L1.
 * @throws CLI_NO_SETTLING_CIRCUIT, OP_MODEL_NOT_OF_DATANET, OP_APPROVAL_TOO_EARLY, OP_DATANET_NOT_PUBLISHED, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { hash: _hash, ...statics } = staticsOf(await getModel(client, 11));
 * await approveModel(client, { datanetId: 10, modelId: 11, statics });
 * ```
 */
export async function approveModel(
  client: LedgerClient,
  parameters: ApproveModelParameters,
): Promise<ApproveModelReturnType> {
  const { datanetId, modelId, statics } = parameters;
  await requireSettlingCircuit(client, modelShape(statics, 1));
  return signAndSend(
    client,
    { kind: "approveModel", b: modelId, words: [hashStatics(statics)] },
    { ...parameters, from: datanetId },
  );
}
