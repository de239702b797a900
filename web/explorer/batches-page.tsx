/** Page "#/batches", where the explorer begins: batches, latest operations, and the state of Ethereum's queue. */
import { listBatches } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { type Column, DataTable } from "../design/data-table.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { usePlace } from "../routes.ts";
import { showAge, showCount, showDuration } from "../words/format.ts";
import { BatchLink, queueHref } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Term } from "../words/term.tsx";
import { LatestOperations } from "./latest-operations.tsx";

/** Batches of a page. */
const PAGE_SIZE = 10;

/** The explorer's beginning: the latest operations, and every batch, newest first. */
export function BatchesPage({ site, live, rest }: PageProps) {
  /** Pages before the newest one: the number that they end below. */
  const [before, setBefore] = usePlace("before");
  const { value: batches, problem } = useAnswer(live, `batches ${before}`, () =>
    listBatches(site.sequencer, PAGE_SIZE, before),
  );
  const status = live.status.value;
  const oldest = batches?.at(-1)?.number ?? 1;
  return (
    <>
      <section class="stack">
        <h1>Explorer</h1>
        <p class="lead">
          Every <Term name="batch">batch</Term>, every operation, every account. Open a batch to verify its
          proof in your browser.
        </p>
      </section>
      <section class="card stack">
        <div class="row">
          <h2>{before === undefined ? "Batches" : `Batches before ${showCount(before)}`}</h2>
          <span class="push" />
          {status !== null && status.head.operationCount > 0 && before === undefined && (
            <p class="soft small">
              batch {showCount(status.head.batchNumber)} is open, with {showCount(status.head.operationCount)}{" "}
              {status.head.operationCount === 1 ? "operation" : "operations"}
            </p>
          )}
        </div>
        {problem !== null && <ProblemNotice problem={problem} />}
        <DataTable
          caption="Batches"
          columns={columns(live.nowMs.value)}
          rows={batches}
          keyOf={({ number }) => number}
          empty="No batch has been closed yet: the first operation opens one."
          pages={{
            toNewest: before === undefined ? null : () => setBefore(undefined),
            toOlder: oldest > 1 ? () => setBefore(oldest) : null,
          }}
        />
      </section>
      <LatestOperations site={site} live={live} rest={rest} />
      {status !== null && <QueueCard {...status.queue} />}
    </>
  );
}

function columns(nowMs: number): Column<LedgerBatch>[] {
  return [
    { label: "Batch", cell: ({ number }) => <BatchLink number={number} /> },
    { label: "State", cell: ({ status }) => <StatusBadge status={status} /> },
    {
      label: "Operations",
      isNumber: true,
      cell: ({ counts }) => (counts == null ? "–" : showCount(counts.operations)),
    },
    {
      label: "Bytes",
      isNumber: true,
      cell: ({ dataBytes }) => (dataBytes == null ? "–" : showCount(dataBytes)),
    },
    {
      label: "Proof took",
      isNumber: true,
      cell: ({ proveMs }) => (proveMs == null ? "–" : showDuration(proveMs)),
    },
    { label: "Gas", isNumber: true, cell: ({ gasUsed }) => (gasUsed === null ? "–" : showCount(gasUsed)) },
    {
      label: "Closed",
      isNumber: true,
      cell: ({ closedAtMs }) => (closedAtMs == null ? "–" : showAge(closedAtMs, nowMs)),
    },
  ];
}

function QueueCard({ seenIndex, consumedIndex }: { seenIndex: number; consumedIndex: number }) {
  const waiting = seenIndex - consumedIndex;
  const newest = seenIndex - 1;
  return (
    <section class="card stack-s">
      <h2>Ethereum's queue</h2>
      <p class="soft">
        Deposits and forced operations wait here. A <Term name="queue entry" /> cannot be passed over.{" "}
        {waiting === 0 ? "The queue is empty." : `${showCount(waiting)} ${waiting === 1 ? "waits" : "wait"}.`}
      </p>
      {newest >= 0 && (
        <p>
          <a href={queueHref(newest)}>The newest entry, {showCount(newest)}</a>
        </p>
      )}
    </section>
  );
}
