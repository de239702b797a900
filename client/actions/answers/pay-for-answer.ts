import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { resolveSigner } from "../../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../../sequencer/model-reads.ts";
import type { PayInferenceErrorCode } from "../ledger/pay-inference.ts";
import { type PayInferenceReturnType, payInference } from "../ledger/pay-inference.ts";
import type { SigningOptions } from "../ledger/send-operation.ts";
import type { CheckAnswerErrorCode } from "./check-answer.ts";
import { checkAnswer } from "./check-answer.ts";
import type { CheckableModel, UncheckedAnswer } from "./model-answers.ts";

export interface PayForAnswerParameters extends SigningOptions {
  modelId: number;
  /** The customer's own copy of the model. */
  model: CheckableModel;
  prompt: string;
  answer: UncheckedAnswer;
  /** The most that the customer pays; default: what the answer said. */
  maxPriceWei?: bigint;
  /** As `checkAnswer` says. */
  isAnsweredAgain?: boolean;
}

export type PayForAnswerErrorCode = CheckAnswerErrorCode | "CLI_PRICE_TOO_HIGH" | PayInferenceErrorCode;

/**
 * Checks an answer and pays the model's price for it. Nothing is signed where a check fails.
 * @throws CLI_ANSWER_WRONG, CLI_PRICE_TOO_HIGH, and what `payInference` throws
 * @example
 * ```ts
 * const prompt = "Win now";
 * const answer = await askModel(client, { serverUrl, modelId: 11, prompt });
 * await payForAnswer(client, { modelId: 11, model, prompt, answer, maxPriceWei: parseOpen("0.5") });
 * ```
 */
export async function payForAnswer(
  client: LedgerClient,
  parameters: PayForAnswerParameters,
): Promise<PayInferenceReturnType> {
  const { modelId, model, prompt, answer, maxPriceWei, isAnsweredAgain = false, ...signing } = parameters;
  const [{ id: payerId }, leaf] = await Promise.all([
    resolveSigner(client, parameters.from),
    getModel(client, modelId),
  ]);
  const { priceWei } = leaf.counters;
  const mostWei = maxPriceWei ?? answer.priceWei;
  if (priceWei > mostWei) {
    throw clientError("CLI_PRICE_TOO_HIGH", `model ${modelId} costs ${priceWei} wei, more than ${mostWei}`, {
      data: { modelId, priceWei: `${priceWei}`, maxPriceWei: `${mostWei}` },
    });
  }
  const staticsHash = staticsOf(leaf).hash;
  checkAnswer(model, answer, { prompt, payerId, staticsHash, isAnsweredAgain });
  return payInference(client, {
    ...signing,
    from: payerId,
    modelId,
    amountWei: priceWei,
    receipt: answer.receipt,
  });
}
