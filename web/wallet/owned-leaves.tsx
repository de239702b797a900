/** Table of the leaves of the connected wallet's address, with a button for each: both roads of the page "A new wallet" show it. */
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import type { ComponentChildren } from "preact";
import { DataTable } from "../design/data-table.tsx";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";

const KINDS = { account: "Account", datanet: "Datanet", model: "Model" } as const;

export function OwnedLeaves({
  act,
  leaves,
}: {
  readonly leaves: readonly LedgerLeaf[];
  /** State of a leaf, or its button. */
  readonly act: (leaf: LedgerLeaf) => ComponentChildren;
}) {
  return (
    <DataTable
      caption="Yours"
      rows={leaves}
      keyOf={({ id }) => id}
      empty="This wallet owns nothing in the ledger."
      columns={[
        {
          label: "What",
          cell: ({ id, kind }) => (
            <>
              {KINDS[kind]} <LeafLink id={id} />
            </>
          ),
        },
        { label: "OPEN", isNumber: true, cell: ({ balanceWei }) => <Open wei={balanceWei} isBare /> },
        { label: "", cell: act },
      ]}
    />
  );
}
