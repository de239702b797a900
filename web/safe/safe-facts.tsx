/** Facts of a Safe: its owners with their names, what can act beside them, what it holds for fees, and the leaves that it owns. */
import type { Safe } from "@openledger/client/safe/read-safe";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { OwnedLeaves } from "../wallet/owned-leaves.tsx";
import { showCount } from "../words/format.ts";
import { OwnerName } from "./owner-name.tsx";

interface SafeFactsProps extends Pick<PageProps, "live" | "site"> {
  readonly safe: Safe;
  readonly leaves: readonly LedgerLeaf[] | null;
}

export function SafeFacts({ leaves, live, safe, site }: SafeFactsProps) {
  const { address, guards, modules, nonce, owners, singleton, threshold, version } = safe;
  return (
    <section class="card stack" aria-label="The Safe">
      <h2>
        Safe of {threshold} of {owners.length}
      </h2>
      {(modules.length > 0 || guards.length > 0) && <BesideOwners modules={modules} guards={guards} />}
      <FactList
        facts={[
          ["Address", <Identifier key="address" value={address} label="the Safe's address" />],
          ...owners.map(
            (owner, i) =>
              [`Owner ${i + 1}`, <OwnerName key={owner} address={owner} live={live} site={site} />] as const,
          ),
          ["Next nonce", showCount(nonce)],
          ["Version", version],
          ["Its code", <Identifier key="code" value={singleton} label="the contract whose code it runs" />],
        ]}
      />
      <p class="soft small">
        Read from Ethereum. Compare the address and its code with your Safe's own app once.
      </p>
      {leaves !== null && <OwnedLeaves leaves={leaves} act={() => null} />}
    </section>
  );
}

function BesideOwners({ guards, modules }: Pick<Safe, "guards" | "modules">) {
  return (
    <Notice tone="wait" title="Contracts act beside this Safe's owners.">
      {modules.length > 0 && (
        <p>
          Modules, which act for the Safe without its owners' signatures:{" "}
          {modules.map((module) => (
            <Identifier key={module} value={module} label="the module" />
          ))}
        </p>
      )}
      {guards.length > 0 && (
        <p>
          Guards, which can refuse what the owners have signed:{" "}
          {guards.map((guard) => (
            <Identifier key={guard} value={guard} label="the guard" />
          ))}
        </p>
      )}
    </Notice>
  );
}
