/** List "Updates about your rows" on the contribute tab: what reviewers decided about this contributor's rows. */
import { listNotices } from "@openledger/client/datanets/cleaning";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { Badge } from "../design/badge.tsx";
import { datanetHref, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { RowText } from "../rows/row-text.tsx";
import { showAge } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";

/**
 * Notices to a contributor: which of their rows were left out or accepted, why and by whom. The row's page takes
 * objections.
 */
export function Notices({ client, facts, live, place }: TabProps & { client: LedgerClient }) {
  const { value } = useLoad(`${facts.here.recordCount}/${client.leafId}`, () =>
    listNotices(client, { hostUrl: place.hostUrl, contributorId: client.leafId!, limit: 100 }),
  );
  const notices = value?.notices.filter(({ datanetId }) => datanetId === facts.id) ?? [];
  if (notices.length === 0) return null;
  return (
    <section class="card stack" aria-label="Updates about your rows">
      <h2>Updates about your rows</h2>
      <ul class="left-out-list">
        {notices.map((notice) => (
          <li key={`${notice.about === "row" ? notice.row : notice.commit} ${notice.atMs}`}>
            <div class="row">
              {notice.about === "contribution" ? (
                <>
                  <Badge tone="bad">rejected</Badge>
                  <a href={datanetHref(facts.id, `rows/commit/${notice.commit}`)}>a contribution of yours</a>
                </>
              ) : (
                <>
                  <Badge tone={notice.isLeftOut ? "bad" : "good"}>
                    {notice.isLeftOut ? notice.why : "kept"}
                  </Badge>
                  <a href={datanetHref(facts.id, `row/${notice.row}`)}>
                    {notice.isLeftOut && notice.objection === null ? "read the reason and object" : "the row"}
                  </a>
                  {notice.objection !== null && (
                    <span class="soft small">
                      you objected{notice.objection.isAnswered ? ", and were answered" : ": no answer yet"}
                    </span>
                  )}
                </>
              )}
              <span class="push" />
              <span class="soft small">{showAge(notice.atMs, live.nowMs.value)}</span>
            </div>
            <p class="soft small">
              by <LeafLink id={notice.byId} />
              {notice.note !== "" && (
                <>
                  : <RowText text={notice.note} />
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
