/** A Close through L1's queue. */
import { KIND } from "@openledger/circuits/protocol";
import { forceCloseEpoch } from "@openledger/client/actions/forced/forced-operations";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { followForced } from "../money/forced-operation.ts";

export interface ForcedCloseEpoch {
  readonly modelId: number;
  readonly wait: string;
  readonly isUnchecked: boolean;
  /** The most OPEN that an entry may burn; default: what the queue asks. */
  readonly maxFeeWei?: bigint;
}

/** @throws CLI_FORCED_NO_EFFECT, CLI_L1_REVERTED, BRG_* */
export async function closeThroughL1(
  signer: Signer,
  { isUnchecked, modelId, wait, ...fee }: ForcedCloseEpoch,
  options: GlobalOptions,
  output: Output,
): Promise<void> {
  const { account, client } = signer;
  // The contract puts the time of its block into the entry: no earlier than this one's.
  const { timestamp } = await client.l1.getBlock();
  const entry = { kind: KIND.forcedCloseEpoch, b: modelId, word1: timestamp };
  const ledger = ledgerOnL1(options, output);
  const isChecked = await checkForced([entry], account.l1.address, { ledger, isUnchecked });
  output.progress("sending the close to L1's queue");
  const sent = await forceCloseEpoch(client, { modelId, ...fee });
  const what = `the close of model ${modelId}'s open epoch`;
  const { facts, lines } = await followForced(signer, { what, sent, wait, isChecked }, output);
  output.answer(lines, { modelId, ...facts });
}
