/**
 * Table "Latest operations" on the explorer's first page, with links to each operation, queue entry or settlement. Amounts are
 * in wei.
 */
import { listLatest } from "@openledger/client/sequencer/ledger-reads";
import type { LatestRecord } from "@openledger/client/sequencer/sequencer-schemas";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { usePlace } from "../routes.ts";
import { showAge } from "../words/format.ts";
import { BatchLink, LeafLink, operationHref, queueHref, settlementHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { leafOf, showKind } from "./records.tsx";

/** Operations of a page. */
const PAGE_SIZE = 12;

/** Latest operations, deposits and settlements of the ledger, newest first and as they come. */
export function LatestOperations({ site, live }: PageProps) {
  const [before, setBefore] = usePlace("operations");
  const { value, problem } = useAnswer(live, `latest ${before}`, () =>
    listLatest(site.sequencer, { limit: PAGE_SIZE, ...(before === undefined ? {} : { before }) }),
  );
  const nextBefore = value?.nextBefore ?? null;
  return (
    <section class="card stack" aria-label="Operations">
      <h2>{before === undefined ? "Latest operations" : "Older operations"}</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      <DataTable
        caption="Latest operations"
        columns={columns(live.nowMs.value)}
        rows={value?.records}
        keyOf={({ sequence }) => sequence}
        empty="Nothing has been executed yet."
        pages={{
          toNewest: before === undefined ? null : () => setBefore(undefined),
          toOlder: nextBefore === null ? null : () => setBefore(nextBefore),
        }}
      />
    </section>
  );
}

function hrefOf({ a, epoch, hash, queueIndex }: LatestRecord): string {
  if (hash !== null) return operationHref(hash);
  return queueIndex === null ? settlementHref(a, epoch ?? 0) : queueHref(queueIndex);
}

function columns(nowMs: number): Column<LatestRecord>[] {
  return [
    {
      label: "Operation",
      cell: (record) => (
        <span class="row">
          <a href={hrefOf(record)}>{showKind(record.kind)}</a>
          {!record.isValid && <Badge tone="bad">without effect</Badge>}
        </span>
      ),
    },
    {
      label: "From",
      cell: (record) =>
        record.queueIndex !== null && record.kind.startsWith("deposit") ? "Ethereum" : leafOf(record, "a"),
    },
    {
      label: "To",
      cell: (record) => {
        if (record.createdId !== null) return <LeafLink id={record.createdId} />;
        if (record.kind === "depositNew") return "new account";
        return record.kind === "withdraw" ? "Ethereum" : leafOf(record, "b");
      },
    },
    {
      label: "OPEN",
      isNumber: true,
      cell: ({ amountWei }) => (amountWei === null ? "–" : <Open wei={amountWei} isBare />),
    },
    { label: "State", cell: ({ status }) => <StatusBadge status={status} /> },
    { label: "Batch", isNumber: true, cell: ({ batchNumber }) => <BatchLink number={batchNumber} /> },
    {
      label: "Executed",
      isNumber: true,
      cell: ({ atMs }) => (atMs === null ? "–" : showAge(atMs, nowMs)),
    },
  ];
}
