/** A payment through L1's queue, for an answer that was checked. */
import { forcedPaymentEntry, forcePayInference } from "@openledger/client/actions/forced/forced-operations";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import type { Address } from "viem";
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { type ForcedOptions, type ForcedOutcome, followForced, maxFeeOf } from "../money/forced-operation.ts";

export interface ForcedPayment {
  readonly from: number;
  readonly model: { readonly id: number; readonly l1Owner: Address };
  readonly amountWei: bigint;
  readonly receipt: bigint;
}

/** @throws CLI_FORCED_NO_EFFECT, CLI_L1_REVERTED, BRG_* */
export async function payThroughL1(
  signer: Signer,
  { from, model, amountWei, receipt }: ForcedPayment,
  options: GlobalOptions & ForcedOptions & { readonly wait: string },
  output: Output,
): Promise<ForcedOutcome> {
  const { id: modelId, l1Owner: expectedOwner } = model;
  const payment = { id: from, modelId, amountWei, receipt, expectedOwner };
  const entry = forcedPaymentEntry(payment);
  const ledger = ledgerOnL1(options, output);
  const isUnchecked = options.unchecked === true;
  const isChecked = await checkForced([entry], signer.account.l1.address, { ledger, isUnchecked });
  output.progress("sending the payment to L1's queue");
  const sent = await forcePayInference(signer.client, { ...payment, ...maxFeeOf(options) });
  const what = `${formatOpen(amountWei)} OPEN from leaf ${from} to model ${modelId}`;
  return followForced(signer, { what, sent, wait: options.wait, isChecked }, output);
}
