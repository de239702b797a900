import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { Identifier } from "../design/identifier.tsx";
import { type Column, Table } from "../design/table.tsx";
import { showAge, showCount, showDuration } from "../words/format.ts";
import { BatchLink } from "../words/links.tsx";
import { StatusBadge } from "../words/status-badge.tsx";

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
      label: "Proof took",
      isNumber: true,
      cell: ({ proveMs }) => (proveMs == null ? "–" : showDuration(proveMs)),
    },
    { label: "Gas", isNumber: true, cell: ({ gasUsed }) => (gasUsed === null ? "–" : showCount(gasUsed)) },
    {
      label: "Ethereum transaction",
      cell: ({ l1TransactionHash }) =>
        l1TransactionHash == null ? "–" : <Identifier value={l1TransactionHash} label="the transaction" />,
    },
    {
      label: "Closed",
      isNumber: true,
      cell: ({ closedAtMs }) => (closedAtMs == null ? "–" : showAge(closedAtMs, nowMs)),
    },
  ];
  return (
    <Table
      caption="Last batches"
      columns={columns}
      rows={batches}
      keyOf={({ number }) => number}
      empty="No batch has been closed yet: the first operation opens one."
    />
  );
}
