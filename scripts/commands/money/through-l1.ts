/**
 * Common path of commands with --forced: check the operation's effect by a ledger rebuilt from L1, send it to L1's queue, and
 * wait.
 */
import { force } from "@openledger/client/actions/forced/force";
import { type ForceableOperation, forcedEntry } from "@openledger/client/actions/forced/forced-operation";
import type { QueueResult } from "@openledger/client/actions/forced/queue-result";
import type { WaitTarget } from "@openledger/client/sequencer/wait-for";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import type { LedgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { type ForcedOptions, type ForcedOutcome, followForced, maxFeeOf } from "./forced-operation.ts";

export interface ForcedSending {
  readonly operation: ForceableOperation;
  /** L1's time in seconds, for operations to which the contract adds it. */
  readonly l1Seconds?: bigint;
  /** Name of the operation, before a colon. */
  readonly what: string;
  readonly ledger: LedgerOnL1;
  /** Returns the target of the wait; default: the queue entry. */
  readonly targetOf?: (sent: QueueResult) => WaitTarget;
}

/**
 * Checks an operation by the ledger rebuilt from L1, queues it, and follows it, even without a sequencer.
 * @throws CLI_FORCED_NO_EFFECT, CLI_L1_REVERTED, BRG_*
 */
export async function sendThroughL1(
  signer: Signer,
  { l1Seconds, ledger, operation, targetOf, what }: ForcedSending,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<ForcedOutcome> {
  const isUnchecked = options.unchecked === true;
  const owner = signer.account.l1.address;
  const entry = forcedEntry(operation, owner, l1Seconds);
  const isChecked = await checkForced([entry], owner, { ledger, isUnchecked });
  output.progress(`sending ${what} to L1's queue`);
  const sent = await force(signer.client, { ...operation, ...maxFeeOf(options) });
  const target = targetOf === undefined ? {} : { target: targetOf(sent) };
  return followForced(signer, { what, sent, wait: options.wait, isChecked, ...target }, output);
}
