/** What commands that go through L1's queue share: a wait where there is a sequencer to ask, and what to say of it. */
import { formatOpen } from "../../client/open-amount.ts";
import type { QueueResult } from "../../client/queue-result.ts";
import type { Signer } from "./context.ts";
import type { Output } from "./output.ts";
import { waitWithProgress } from "./run-command.ts";

export const FORCED_OPTION = [
  "--forced",
  "through the L1 queue, which no sequencer can leave out; burns the queue's fee",
] as const;

export interface ForcedOutcome {
  /** "queued" where no sequencer is asked. */
  readonly stage: string;
  readonly lines: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * Waits for a queue entry as far as there is somebody to ask.
 * @param what the operation in words, before a colon
 * @throws CMD_USAGE, CLI_QUEUE_ENTRY_INVALID where the entry had no effect, CLI_WAIT_*
 */
export async function followForced(
  { client }: Signer,
  { what, sent, wait }: { readonly what: string; readonly sent: QueueResult; readonly wait: string },
  output: Output,
): Promise<ForcedOutcome> {
  const { burnedFeeWei, gasUsed, queueIndex, transactionHash } = sent;
  const { batchNumber, stage } =
    client.sequencerUrl === null
      ? { batchNumber: null, stage: "queued" }
      : await waitWithProgress(client, { queueIndex }, wait, output);
  const lines = [
    `${what}: ${stage}, queue entry ${queueIndex}`,
    `L1 transaction ${transactionHash}, ${gasUsed} gas, ${formatOpen(burnedFeeWei)} OPEN burned`,
  ];
  return { stage, lines, facts: { queueIndex, transactionHash, gasUsed, burnedFeeWei, stage, batchNumber } };
}
