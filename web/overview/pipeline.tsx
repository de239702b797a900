/** Section of the first page: the newest batch of each stage from accepted to final, with median times in milliseconds. */
import type { SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import { showCount, showDuration } from "../words/format.ts";
import { Term } from "../words/term.tsx";

/** Stages of the ledger, and how long the way to the next one takes. */
export function Pipeline({ status }: { status: SequencerStatus }) {
  const { batches, head, estimates } = status;
  const stage = (
    name: string,
    term: string,
    text: string,
    number: number,
    before: number,
    durationMs: number | undefined,
  ): TimelineStep => ({
    name,
    label: <Term name={term}>{text}</Term>,
    state: number === 0 ? "ahead" : number < before ? "current" : "done",
    note: (
      <>
        {number === 0 ? "no batch yet" : `batch ${showCount(number)}`}
        {durationMs !== undefined && <> · about {showDuration(durationMs)}</>}
      </>
    ),
  });
  const steps = [
    stage("accepted", "accepted", "Accepted", head.batchNumber, head.batchNumber, undefined),
    stage("closed", "in a batch", "In a batch", batches.closed, batches.closed, estimates.closeMs),
    stage("proven", "proven", "Proven", batches.proven, batches.closed, estimates.proveMs),
    stage("posted", "posted", "On Ethereum", batches.posted, batches.proven, estimates.postMs),
    stage("final", "final", "Final", batches.final, batches.posted, estimates.finalMs),
  ];
  const isQuiet = batches.final === batches.closed;
  return (
    <section class="card stack">
      <h2>
        {isQuiet
          ? `Everything up to batch ${batches.final} is final`
          : `Batch ${batches.final + 1} is in progress`}
      </h2>
      <Timeline label="Progress of the ledger" steps={steps} />
    </section>
  );
}
