/** `openledger models close-epoch --forced`: closes an epoch through L1's queue, without a sequencer. */
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import type { ForcedOptions } from "../money/forced-operation.ts";
import { sendThroughL1 } from "../money/through-l1.ts";

/** @throws CLI_FORCED_NO_EFFECT, CLI_L1_REVERTED, BRG_* */
export async function closeThroughL1(
  signer: Signer,
  modelId: number,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<void> {
  const { client } = signer;
  // The contract puts the time of its block into the entry: no earlier than this one's.
  const { timestamp: l1Seconds } = await client.l1.getBlock();
  const operation = { type: "closeEpoch", modelId } as const;
  const what = `the close of model ${modelId}'s open epoch`;
  const ledger = ledgerOnL1(options, output);
  const { facts, lines } = await sendThroughL1(
    signer,
    { operation, l1Seconds, what, ledger },
    options,
    output,
  );
  output.answer(lines, { modelId, ...facts });
}
