import type { EntryRequest } from "@openledger/circuits/ledger/operation";
import type { QueueResult } from "@openledger/client/actions/forced/queue-result";
import type { WaitTarget } from "@openledger/client/sequencer/wait-for";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import type { LedgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { type ForcedOptions, type ForcedOutcome, followForced, maxFeeOf } from "./forced-operation.ts";

export interface ForcedSending {
  readonly entry: EntryRequest;
  /** The operation in words, before a colon. */
  readonly what: string;
  readonly ledger: LedgerOnL1;
  readonly send: (fee: { maxFeeWei?: bigint }) => Promise<QueueResult>;
  /** Returns the target of the wait; default: the queue entry. */
  readonly targetOf?: (sent: QueueResult) => WaitTarget;
}

/** Checks an entry by the ledger rebuilt from L1, queues it, and follows it, even without a sequencer. */
export async function sendThroughL1(
  signer: Signer,
  { entry, ledger, send, targetOf, what }: ForcedSending,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<ForcedOutcome> {
  const isUnchecked = options.unchecked === true;
  const isChecked = await checkForced([entry], signer.account.l1.address, { ledger, isUnchecked });
  output.progress(`sending ${what} to L1's queue`);
  const sent = await send(maxFeeOf(options));
  const target = targetOf === undefined ? {} : { target: targetOf(sent) };
  return followForced(signer, { what, sent, wait: options.wait, isChecked, ...target }, output);
}
