/** Page "#/address/0x…" of the explorer: accounts, Datanets and models that an Ethereum address owns, with balances in OPEN. */
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { isAddress } from "viem";
import { type Column, DataTable } from "../design/data-table.tsx";
import { Identicon } from "../design/identicon.tsx";
import { Identifier } from "../design/identifier.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { Answered } from "./answered.tsx";
import { EnsName } from "./ens-name.tsx";
import { KIND_NAMES } from "./leaf-kinds.ts";

const COLUMNS: readonly Column<LedgerLeaf>[] = [
  { label: "Name", cell: ({ id }) => <LeafLink id={id} /> },
  { label: "Kind", cell: ({ kind }) => KIND_NAMES[kind] },
  { label: "OPEN", isNumber: true, cell: ({ balanceWei }) => <Open wei={balanceWei} isBare /> },
];

/** Accounts of an Ethereum address in the ledger. */
export function AddressPage({ site, live, rest }: PageProps) {
  const address = rest[0] ?? "";
  const answer = useAnswer<LedgerLeaf[] | null>(live, address, async () =>
    isAddress(address, { strict: false }) ? findLeaves(site.sequencer, { owner: address }) : null,
  );
  return (
    <>
      <h1>Ethereum address</h1>
      <p class="row">
        <Identicon of={address.toLowerCase()} />
        <EnsName address={address} site={site} live={live} />
        <Identifier value={address} label="the address" />
      </p>
      <Answered answer={answer} none="This is not an Ethereum address. Enter 0x and 40 hexadecimal digits.">
        {(leaves) => (
          <section class="card stack" aria-label="Owned in the ledger">
            <h2>What it owns in the ledger</h2>
            <DataTable
              caption="Accounts, Datanets and models of the address"
              columns={COLUMNS}
              rows={leaves}
              keyOf={({ id }) => id}
              empty="Nothing. A deposit opens an account."
            />
          </section>
        )}
      </Answered>
    </>
  );
}
