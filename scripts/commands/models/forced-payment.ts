/** `openledger models ask --forced`: pays for a checked answer through L1's queue. Amounts are in wei. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { Address } from "viem";
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import type { ForcedOptions, ForcedOutcome } from "../money/forced-operation.ts";
import { sendThroughL1 } from "../money/through-l1.ts";

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
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<ForcedOutcome> {
  const { id: modelId, l1Owner: expectedOwner } = model;
  const operation = { type: "payInference", id: from, modelId, amountWei, receipt, expectedOwner } as const;
  const what = `${formatOpen(amountWei)} OPEN from leaf ${from} to model ${modelId}`;
  return sendThroughL1(signer, { operation, what, ledger: ledgerOnL1(options, output) }, options, output);
}
