/**
 * Signed operation PayInference: pays a model for an answer, by its receipt. `payForAnswer` and `buyAnswer` send it
 * once the answer is checked. Amounts are in wei.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { hex32 } from "@openledger/foundation/hex";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { resolveSigner } from "../../sequencer/ledger-reads.ts";
import { findReceiptPayment } from "../../sequencer/model-reads.ts";
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
  | "CLI_RECEIPT_PAID"
  | "OP_AMOUNT_NOT_REPRESENTABLE"
  | "OP_MODEL_NOT_PAYABLE"
  | "OP_BELOW_PRICE"
  | "OP_EPOCH_FULL"
  | SigningErrorCode;

/**
 * Pays a model for one answer. The ledger takes a receipt as often as it is paid: one that this account has paid, by this
 * function or by x402, is not signed again.
 * @throws CLI_RECEIPT_PAID, OP_AMOUNT_NOT_REPRESENTABLE, OP_MODEL_NOT_PAYABLE, OP_BELOW_PRICE, OP_EPOCH_FULL, CLI_…
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
  await requireUnpaid(client, parameters);
  return signAndSend(client, draftOf(parameters), parameters);
}

/**
 * Signs a payment that somebody else sends: a server that is paid by x402. It is executed once, or never where another
 * operation takes its nonce.
 * @throws CLI_RECEIPT_PAID, OP_AMOUNT_NOT_REPRESENTABLE, CLI_…
 * @internal
 */
export async function signPayment(
  client: LedgerClient,
  parameters: PayInferenceParameters,
): Promise<SignedSubmission> {
  await requireUnpaid(client, parameters);
  return signOperation(client, draftOf(parameters), parameters);
}

/** @throws CLI_RECEIPT_PAID */
async function requireUnpaid(
  client: LedgerClient,
  { from, modelId, receipt }: PayInferenceParameters,
): Promise<void> {
  const { id: payerId } = await resolveSigner(client, from);
  const paid = await findReceiptPayment(client, { modelId, payerId, receipt });
  if (paid === null) return;
  const { epoch, hash } = paid;
  throw clientError(
    "CLI_RECEIPT_PAID",
    `account ${payerId} has paid for this answer of model ${modelId} already`,
    {
      data: { modelId, receipt: hex32(receipt), epoch, hash },
    },
  );
}

const draftOf = ({ amountWei, modelId, receipt }: PayInferenceParameters): OperationDraft => ({
  kind: "payInference",
  b: modelId,
  amountCode: encodeAmount(amountWei),
  words: [receipt],
});
