import type { LedgerBatch } from "../../client/sequencer/sequencer-schemas.ts";
import { Badge, type Tone } from "../design/badge.tsx";
import { Identifier } from "../design/identifier.tsx";
import { type Column, Table } from "../design/table.tsx";
import { showAge, showCount, showDuration } from "../words/format.ts";

const STATUSES: Readonly<Record<string, { tone: Tone; text: string }>> = {
  closed: { tone: "wait", text: "being proven" },
  proven: { tone: "wait", text: "proven" },
  submitted: { tone: "wait", text: "sent to Ethereum" },
  posted: { tone: "info", text: "on Ethereum" },
  final: { tone: "good", text: "final" },
};

export function LastBatches({ batches, nowMs }: { batches: readonly LedgerBatch[]; nowMs: number }) {
  const columns: Column<LedgerBatch>[] = [
    { label: "Batch", cell: ({ number }) => <strong>{showCount(number)}</strong> },
    { label: "State", cell: ({ status }) => <BatchBadge status={status} /> },
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

function BatchBadge({ status }: { status: string }) {
  const known = STATUSES[status] ?? { tone: "plain" as const, text: status };
  return <Badge tone={known.tone}>{known.text}</Badge>;
}
