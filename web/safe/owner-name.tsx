/** Name of a Safe's owner: its name on Ethereum, its account here, and the address, which alone is certain. */
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { Identifier } from "../design/identifier.tsx";
import { EnsName } from "../explorer/ens-name.tsx";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { LeafLink } from "../words/links.tsx";

interface OwnerNameProps extends Pick<PageProps, "live" | "site"> {
  readonly address: `0x${string}`;
}

export function OwnerName({ address, live, site }: OwnerNameProps) {
  const { value } = useAnswer(live, `account of ${address}`, async () => {
    const leaves = await findLeaves(site.sequencer, { owner: address });
    return leaves.find(({ kind }) => kind === "account")?.id ?? null;
  });
  return (
    <span class="row">
      {session.value?.address === address && <strong>you</strong>}
      <EnsName address={address} live={live} site={site} />
      {value != null && <LeafLink id={value} />}
      <Identifier value={address} label="the owner's address" />
    </span>
  );
}
