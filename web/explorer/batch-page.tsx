/**
 * Page "#/batch/NUMBER" of the explorer: a batch's stages, operations and facts. A visitor can verify its proof and data here
 * against Ethereum.
 */
import { getBatch } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import type { VNode } from "preact";
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount, showDuration, showTime } from "../words/format.ts";
import { batchHref } from "../words/links.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Term } from "../words/term.tsx";
import { Answered } from "./answered.tsx";
import { BatchCheck } from "./checks/batch-check.tsx";
import { Records } from "./records.tsx";

/** Page of a batch: its content, its state, its proof, and the check in the page. */
export function BatchPage(props: PageProps): VNode {
  const { site, live, rest } = props;
  const number = Number(rest[0]);
  const answer = useAnswer(live, `batch ${number}`, () =>
    Number.isSafeInteger(number) && number > 0 ? getBatch(site.sequencer, number) : Promise.resolve(null),
  );
  const newest = live.status.value?.batches.closed ?? 0;
  return (
    <>
      <div class="row">
        <h1>Batch {Number.isNaN(number) ? "?" : showCount(number)}</h1>
        {answer.value != null && <StatusBadge status={answer.value.status} />}
        <span class="push" />
        <nav class="row" aria-label="Neighbouring batches">
          {number > 1 && <a href={batchHref(number - 1)}>← {showCount(number - 1)}</a>}
          {number < newest && <a href={batchHref(number + 1)}>{showCount(number + 1)} →</a>}
        </nav>
      </div>
      <Answered answer={answer} none="No batch with this number has been closed yet.">
        {(batch) => (
          <>
            <section class="card stack">
              <h2>Progress</h2>
              <Timeline label="Progress of the batch" steps={stepsOf(batch)} />
            </section>
            <BatchCheck {...props} batch={batch} />
            <section class="card stack">
              <h2>
                {showCount(batch.records?.length ?? 0)}{" "}
                {batch.records?.length === 1 ? "operation" : "operations"}
              </h2>
              <Records records={batch.records ?? []} />
            </section>
            <Facts batch={batch} />
          </>
        )}
      </Answered>
    </>
  );
}

/** Statuses in the order in which a batch passes them. */
const ORDER = ["closed", "proven", "submitted", "posted", "final"];

function stepsOf(batch: LedgerBatch): TimelineStep[] {
  const at = ORDER.indexOf(batch.status);
  const step = (
    name: string,
    term: string,
    text: string,
    atMs: number | null | undefined,
    note?: string,
  ): TimelineStep => {
    const position = ORDER.indexOf(name);
    const isNext = position > at && ORDER.slice(at + 1, position).every((one) => one === "submitted");
    return {
      name,
      label: <Term name={term}>{text}</Term>,
      state: position <= at ? "done" : isNext ? "current" : "ahead",
      note: atMs == null ? note : [showTime(atMs), note].filter(Boolean).join(" · "),
    };
  };
  const proof = batch.proveMs == null ? undefined : `the proof took ${showDuration(batch.proveMs)}`;
  return [
    step("closed", "in a batch", "Closed", batch.closedAtMs),
    step("proven", "proven", "Proven", batch.provenAtMs, proof),
    step("posted", "posted", "On Ethereum", batch.postedAtMs),
    step("final", "final", "Final", null),
  ];
}

function Facts({ batch }: { batch: LedgerBatch }) {
  const element = (value: bigint | null | undefined, label: string) =>
    value == null ? "–" : <Identifier value={`0x${value.toString(16).padStart(64, "0")}`} label={label} />;
  const facts: [string, VNode | string][] = [
    ["Root before", element(batch.oldRoot, "the root before") as VNode],
    ["Root after", element(batch.newRoot, "the root after") as VNode],
    ["Data commitment", element(batch.commitment, "the commitment") as VNode],
    ["Circuit", batch.circuit ?? "–"],
    ["Proven by", batch.backend ?? "–"],
    ["Bytes on Ethereum", batch.dataBytes == null ? "–" : showCount(batch.dataBytes)],
    [
      "Ethereum transaction",
      batch.l1TransactionHash == null ? (
        "not yet"
      ) : (
        <Identifier value={batch.l1TransactionHash} label="the transaction" />
      ),
    ],
    ["Ethereum block", batch.l1BlockNumber == null ? "–" : showCount(batch.l1BlockNumber)],
    ["Gas", batch.gasUsed === null ? "–" : showCount(batch.gasUsed)],
  ];
  return (
    <section class="card stack">
      <h2>Facts</h2>
      <FactList facts={facts} />
      {batch.isForeign === true && (
        <p class="soft small">
          This batch was not posted by the operator. The contract accepts a batch from anyone who proves it.
        </p>
      )}
    </section>
  );
}
