/** Notice on pages of a leaf whose key came through L1 without the old key's signature: for a week everybody sees it. */
import { getKeyNotice } from "@openledger/client/datanets/key-notice";
import { Notice } from "../design/notice.tsx";
import { readVisitor } from "../hosts/keys/visitor.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { LeafLink, QueueLink } from "../words/links.tsx";

/** Nothing where there is no notice, or no host to ask. Where the host does not know, that is said. */
export function KeyNoticePart({ leafId, live, site }: Pick<PageProps, "live" | "site"> & { leafId: number }) {
  const reader = readVisitor(site, live)?.reader ?? null;
  const [hostUrl] = site.datanetHosts;
  const { problem, value } = useAnswer(live, `key notice ${leafId} ${reader !== null}`, async () =>
    reader === null || hostUrl === undefined ? null : getKeyNotice(reader, { hostUrl, leafId }),
  );
  if (problem?.code === "DNT_KEY_NOTICE")
    return (
      <Notice tone="wait" title="Nobody here knows whether this key is new.">
        <p>
          The host has not seen a week of what <LeafLink id={leafId} /> did, so it treats the key as one that
          was set without the old key's signature. <code>{problem.code}</code>
        </p>
      </Notice>
    );
  if (value == null) return null;
  const untilDay = new Date(value.untilMs).toISOString().slice(0, 16).replace("T", " ");
  return (
    <Notice tone="wait" title="This key is new, and the old one did not sign for it.">
      <p>
        The owner of <LeafLink id={leafId} /> set it through Ethereum, by entry{" "}
        <QueueLink index={value.queueIndex} />. Until {untilDay} UTC, hosts erase no rows, grant no access and
        show no permissioned rows on its word. If you own it and did not do this, your wallet is in other
        hands: <a href="#/wallet/lost">what is left</a>.
      </p>
    </Notice>
  );
}
