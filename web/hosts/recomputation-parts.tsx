/**
 * Recomputations of a model by others, as the pages of Ask, of models and of Datanets show them: a table of who signed what, and
 * a red notice of a difference.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { showAge, showCount } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { DelegateWord } from "./delegate-word.tsx";
import { differing, type Verification } from "./recomputations.ts";

/** Accounts that have recomputed a model, and what they found. */
export function RecomputedBy({
  found,
  live,
  site,
}: Pick<PageProps, "live" | "site"> & { readonly found: readonly Verification[] }) {
  const columns: Column<Verification>[] = [
    {
      label: "Who",
      cell: ({ leafId }) => (
        <>
          <LeafLink id={leafId} /> <DelegateWord leafId={leafId} live={live} site={site} />
        </>
      ),
    },
    { label: "What", cell: ({ epoch }) => (epoch === null ? "the model" : `settlement ${showCount(epoch)}`) },
    { label: "When", cell: ({ atMs }) => showAge(atMs, Date.now()) },
    {
      label: "Found",
      cell: (one) => <Badge tone={one.difference === null ? "good" : "bad"}>{whatWasFound(one)}</Badge>,
    },
  ];
  return (
    <div class="stack-s">
      <DataTable
        caption="Recomputed by"
        columns={columns}
        rows={found}
        keyOf={({ epoch, leafId }) => `${leafId}/${epoch ?? ""}`}
        empty="No one has signed a recomputation of this model yet."
      />
      {found.length > 0 && (
        <p class="soft small">
          Each line is signed by the account's ledger key. This page has verified the signatures.
        </p>
      )}
    </div>
  );
}

function whatWasFound({ difference }: Verification): string {
  if (difference === null) return "the same bytes";
  const { file, row } = difference;
  if (row === null) return `differs in ${file}`;
  // A file of numbers has no rows; a record has the place of one in the same field.
  const what = /^(parameters|query-map|columns)\.bin$/.test(file) ? "number" : "row";
  return `differs in ${file}, ${what} ${showCount(rowNumber(row))}`;
}

interface DifferenceProps {
  readonly found: readonly Verification[];
  readonly modelId: number;
  readonly datanetIds: readonly number[];
}

/** Red notice if somebody got other bytes; nothing if nobody did. */
export function DifferenceNotice({ datanetIds, found, modelId }: DifferenceProps) {
  const [first, ...others] = differing(found);
  if (first === undefined) return null;
  const more = others.length === 0 ? "" : ` So do ${showCount(others.length)} more records.`;
  const what = first.epoch === null ? "this model" : `the settlement of epoch ${showCount(first.epoch)}`;
  return (
    <Notice tone="bad" title={`A recomputation of ${what} gave a different result.`}>
      <p>
        <LeafLink id={first.leafId} /> has signed that it {whatWasFound(first)}.{more}
      </p>
      <p>
        Anyone with the rows can check it. It is a reason for the owner of{" "}
        {datanetIds.map((id, i) => (
          <span key={id}>
            {i > 0 && " or "}Datanet <LeafLink id={id} />
          </span>
        ))}{" "}
        to end the payments of model {modelId}, on Ethereum if the operator does not take it.
      </p>
    </Notice>
  );
}
