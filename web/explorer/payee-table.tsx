/**
 * Table of a model's payees (contributors, each with the validator of their rows) and what they earned, on the pages of
 * answers, models and settlements.
 */
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { type Column, DataTable } from "../design/data-table.tsx";
import { showCount, showParts } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";

type Payee = LedgerModelLeaf["payees"][number];
type PlacedPayee = ReturnType<typeof presentPayees<Payee>>[number];

interface PayeeTableProps {
  /** Payees in their places; absent ones are left out. */
  readonly payees: readonly Payee[];
  /** Earnings of each payee, in the order of the payees; absent if unknown. */
  readonly earned?: { readonly label: string; readonly amountsWei: readonly bigint[] } | undefined;
}

/** Contributors who earn from a model, each with the validator of the rows. */
export function PayeeTable({ earned, payees }: PayeeTableProps) {
  const { parts } = showParts(earned?.amountsWei ?? []);
  const columns: Column<PlacedPayee>[] = [
    { label: "Contributor", cell: ([, { contributorId }]) => <LeafLink id={contributorId} /> },
    { label: "Validator", cell: ([, { validatorId }]) => <LeafLink id={validatorId} /> },
    { label: "Rows", isNumber: true, cell: ([, { rowCount }]) => showCount(rowCount) },
  ];
  if (earned !== undefined)
    columns.push({
      label: earned.label,
      isNumber: true,
      cell: ([location]) => <Open wei={earned.amountsWei[location] ?? 0n} shown={parts[location]} isBare />,
    });
  return (
    <DataTable
      caption="Who earns from the model"
      columns={columns}
      rows={presentPayees(payees)}
      keyOf={([location]) => location}
      empty="Known once the model is activated."
    />
  );
}
