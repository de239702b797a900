/** Table of the last batches on the first page. */
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { type Column, DataTable } from "../design/data-table.tsx";
import { showAge, showCount } from "../words/format.ts";
import { BatchLink } from "../words/links.tsx";
import { StatusBadge } from "../words/status-badge.tsx";

/** Batches of the table. */
const SHOWN = 5;

/** Table of the last batches on the first page. */
export function LastBatches({ batches, nowMs }: { batches: readonly LedgerBatch[]; nowMs: number }) {
  const columns: Column<LedgerBatch>[] = [
    { label: "Batch", cell: ({ number }) => <BatchLink number={number} /> },
    { label: "State", cell: ({ status }) => <StatusBadge status={status} /> },
    {
      label: "Operations",
      isNumber: true,
      cell: ({ counts }) => (counts == null ? "–" : showCount(counts.operations)),
    },
    {
      label: "Closed",
      isNumber: true,
      cell: ({ closedAtMs }) => (closedAtMs == null ? "–" : showAge(closedAtMs, nowMs)),
    },
  ];
  return (
    <DataTable
      caption="Last batches"
      isNarrow
      columns={columns}
      rows={batches.slice(0, SHOWN)}
      keyOf={({ number }) => number}
      empty="No batches yet. The first operation opens one."
    />
  );
}
