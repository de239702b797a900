/** The claim of a receipt: prompt and answer are traced anew, whoever has given the answer. */

import { attributionError } from "@openledger/attribution/attribution-errors";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { findPromptFault } from "@openledger/models/tokens/token-spelling";
import type { Hex } from "viem";
import { answerFault } from "./answer-fault.ts";
import { type ClaimedText, claimReceiptCall, type TracedTuple } from "./ledger-claims.ts";
import { type TracedQuery, traceQuery, tracingKernels } from "./traced-model.ts";
import type { TracedTextModel } from "./traced-text.ts";

export interface ClaimingModel {
  readonly traced: TracedTextModel;
  /** As it is registered. */
  readonly terms: TracedTuple;
  readonly kernels: KernelChoice;
}

/**
 * Takes as long as a trace. A claim of an answer that the model would not give loses its bond.
 * @throws RollupError ATT_ROW_INVALID, ATT_ANSWER_INVALID
 */
export function receiptClaim(
  { kernels, terms, traced }: ClaimingModel,
  receipt: ClaimedText,
): { readonly query: TracedQuery; readonly data: Hex } {
  const { model } = traced;
  const text = traced.textOf(receipt.prompt, receipt.answer);
  const query = traceQuery(model, text, tracingKernels(kernels, model));
  const fault = terms.isLikeliest ? answerFault(query) : null;
  if (fault !== null)
    throw attributionError(
      "ATT_ANSWER_INVALID",
      `no answer of this model: behind ${fault.place + 1} tokens it answers token ${fault.rival}`,
      { data: { ...fault } },
    );
  const lengths = traced.lengthsOf(receipt.prompt);
  const bytes = new TextEncoder().encode(receipt.prompt);
  const promptTokens = text.tokens.slice(0, text.promptCount);
  const { vocabulary } = traced;
  // Payers choose prompts: one that would refute the claim costs a bond.
  const wrong = vocabulary && findPromptFault(vocabulary.spelling, bytes, lengths, promptTokens);
  if (wrong !== null)
    throw attributionError("ATT_ROW_INVALID", `L1 would refute token ${wrong.place} of this prompt`);
  return { query, data: claimReceiptCall(model, terms, query, { ...receipt, lengths }) };
}
