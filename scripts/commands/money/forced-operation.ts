/** Shared parts of commands that go through L1's queue: the wait if there is a sequencer, and the lines about it. */

import type { QueueResult } from "@openledger/client/actions/forced/queue-result";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import type { WaitTarget } from "@openledger/client/sequencer/wait-for";
import type { Signer } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { defineOptions } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";

const FORCED_OPTION = defineOptions({
  "--forced": "forced inclusion through the L1 queue, which the sequencer cannot censor; burns a fee",
});

export const UNCHECKED_OPTION = defineOptions({
  "--unchecked":
    "with --forced: skip the check on L1 that it has an effect; an operation without one still burns the fee",
});

export const MAX_FEE_OPTION = defineOptions({
  "--max-fee <amount>": "most OPEN that L1's queue may burn for an entry; default: the current fee",
});

/** Options of a command that can go through L1's queue. */
export const FORCED_OPTIONS = defineOptions({
  ...FORCED_OPTION,
  ...UNCHECKED_OPTION,
  ...MAX_FEE_OPTION,
  ...WAIT_OPTION,
});

export const UNCHECKED_LINE = "sent unchecked: a batch that includes it shows whether it has an effect";

export interface ForcedOptions {
  forced?: boolean;
  unchecked?: boolean;
  maxFee?: string;
  wait: string;
}

/** Returns `--max-fee` in the form of the client's verbs. @throws CLI_INPUT_INVALID */
export function maxFeeOf({ maxFee }: Pick<ForcedOptions, "maxFee">): { maxFeeWei?: bigint } {
  return maxFee === undefined ? {} : { maxFeeWei: parseOpen(maxFee) };
}

/** Entry of L1's queue that a command has sent, and how to follow it. */
export interface ForcedSubmission {
  /** Name of the operation, before a colon. */
  readonly what: string;
  readonly sent: QueueResult;
  readonly wait: string;
  /** true: a check beforehand has shown that it would have an effect. */
  readonly isChecked: boolean;
  /** Target of the wait; default: the queue entry. */
  readonly target?: WaitTarget;
}

export interface ForcedOutcome {
  /** "queued" where no sequencer is asked. */
  readonly stage: string;
  readonly lines: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * Waits for a queue entry as far as there is somebody to ask.
 * @throws CMD_USAGE, CLI_QUEUE_ENTRY_INVALID if the entry had no effect, CLI_WAIT_*
 */
export async function followForced(
  { client }: Signer,
  { what, sent, wait, isChecked, target }: ForcedSubmission,
  output: Output,
): Promise<ForcedOutcome> {
  const { burnedFeeWei, gasCostWei, gasUsed, queueIndex, transactionHash } = sent;
  const { batchNumber, stage } =
    client.sequencerUrl === null
      ? { batchNumber: null, stage: "queued" }
      : await waitWithProgress(client, target ?? { queueIndex }, wait, output);
  const lines = [
    `${what}: ${stage}, queue entry ${queueIndex}`,
    `L1 transaction ${transactionHash}, ${describeGas(sent)}, ${formatOpen(burnedFeeWei)} OPEN burned`,
  ];
  if (!isChecked) lines.push(UNCHECKED_LINE);
  const cost = { gasUsed, gasCostWei, burnedFeeWei };
  return { stage, lines, facts: { queueIndex, transactionHash, ...cost, isChecked, stage, batchNumber } };
}
