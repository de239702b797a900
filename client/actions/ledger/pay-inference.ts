/**
 * Signed operation PayInference: pays a model for an answer, by its receipt. `payForAnswer` and `buyAnswer` send it
 * once the answer is checked. Amounts are in wei.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { LedgerClient } from "../../ledger-client.ts";
import {
  type OperationDraft,
  type SendResult,
  type SignedSubmission,
  type SigningErrorCode,
  type SigningOptions,
  signAndSend,
  signOperation,
} from "./send-operation.ts";

export interface PayInferenceParameters extends SigningOptions {
  modelId: number;
  /** Payment in wei, at least the model's price. */
  amountWei: bigint;
  /** Receipt of the answer: a field element that binds prompt, answer and query. */
  receipt: bigint;
}
export type PayInferenceReturnType = SendResult;

export type PayInferenceErrorCode =
  | "OP_AMOUNT_NOT_REPRESENTABLE"
  | "OP_MODEL_NOT_PAYABLE"
  | "OP_BELOW_PRICE"
  | "OP_EPOCH_FULL"
  | SigningErrorCode;

/**
 * Pays a model for one answer.
 * @throws OP_AMOUNT_NOT_REPRESENTABLE, OP_MODEL_NOT_PAYABLE, OP_BELOW_PRICE, OP_EPOCH_FULL, CLI_…
 * @example
 * ```ts
 * // `payForAnswer` does this after it has checked the answer.
 * const { priceWei, receipt } = await askModel(client, { serverUrl, modelId: 11, prompt: "Win now" });
 * await payInference(client, { modelId: 11, amountWei: priceWei, receipt });
 * ```
 */
export async function payInference(
  client: LedgerClient,
  parameters: PayInferenceParameters,
): Promise<PayInferenceReturnType> {
  return signAndSend(client, draftOf(parameters), parameters);
}

/**
 * Signs a payment that somebody else sends: a server that is paid by x402. It is executed once, or never where another
 * operation takes its nonce.
 * @throws OP_AMOUNT_NOT_REPRESENTABLE, CLI_…
 * @internal
 */
export function signPayment(
  client: LedgerClient,
  parameters: PayInferenceParameters,
): Promise<SignedSubmission> {
  return signOperation(client, draftOf(parameters), parameters);
}

const draftOf = ({ amountWei, modelId, receipt }: PayInferenceParameters): OperationDraft => ({
  kind: "payInference",
  b: modelId,
  amountCode: encodeAmount(amountWei),
  words: [receipt],
});
