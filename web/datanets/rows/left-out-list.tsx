/** Public list of the rows that reviewers have left out or contributors have withdrawn, on the clean tab; a reviewer can put a row back by a signed record. */
import { listLeftOut } from "@openledger/client/datanets/browse-rows";
import type { LeftOutRow } from "@openledger/client/datanets/row-schemas";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { sayAll } from "../../hosts/say.ts";
import { datanetHref, reviewerOf, type TabProps } from "../../hosts/tab-props.ts";
import { textsOf } from "../../hosts/texts-of.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { useAction } from "../../ledger/use-action.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showCount } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { ProblemNotice } from "../../words/problem.tsx";

/** Rows of the list; their count is shown whole. */
const SHOWN_ROWS = 100;

/** Public list of every row that is left out: why, by whom, and who objects. */
export function LeftOutList(props: TabProps) {
  const { facts, onChange, place, visitor } = props;
  const { problem, value } = useLoad(`${facts.here.recordCount}/${visitor.reader.leafId}`, async () => {
    const rows = await listLeftOut(visitor.reader, place);
    const shown = rows.slice(0, SHOWN_ROWS);
    return {
      total: rows.length,
      rows: shown,
      texts: await textsOf(
        props,
        shown.flatMap(({ digest, withdrawnAtMs }) => (withdrawnAtMs === null ? [digest] : [])),
      ),
    };
  });
  const putting = useAction();
  const from = reviewerOf(props);
  const putBack = ({ digest }: LeftOutRow) =>
    putting.run(async () => {
      const record = {
        kind: "leaveOut",
        row: digest,
        isLeftOut: false,
        why: "other",
        note: "put back",
      } as const;
      await sayAll(visitor.client!, { ...place, from: from!, records: [record] });
      onChange();
    });
  return (
    <section class="card stack" aria-label="Left out">
      <div class="row">
        <h2>Left out</h2>
        <span class="push" />
        <span class="soft small">this list is public</span>
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {putting.problem !== null && <ProblemNotice problem={putting.problem} />}
      {value?.total === 0 && <p class="soft">Nothing is left out.</p>}
      <ul class="left-out-list">
        {value?.rows.map((row) => (
          <li key={row.digest}>
            <div class="row">
              {row.outcome.state === "leftOut" ? (
                <Badge tone="bad">{row.outcome.why}</Badge>
              ) : (
                <Badge tone="good">put back</Badge>
              )}
              <a href={datanetHref(facts.id, `row/${row.digest}`)} class="change-text left-out-text">
                <RowText text={value.texts.get(row.digest) ?? `${row.digest.slice(0, 16)}…`} isOneLine />
              </a>
              {from !== null && row.outcome.state === "leftOut" && row.withdrawnAtMs === null && (
                <Button isSmall isBusy={putting.isBusy} onClick={() => void putBack(row)}>
                  Restore
                </Button>
              )}
            </div>
            <p class="soft small">
              {row.contributorId !== null && (
                <>
                  by <LeafLink id={row.contributorId} />
                </>
              )}
              {row.outcome.state === "leftOut" && (
                <>
                  , left out by <LeafLink id={row.outcome.byId} />
                  {row.outcome.note !== "" && (
                    <>
                      : <RowText text={row.outcome.note} />
                    </>
                  )}
                </>
              )}
            </p>
            {row.objections.map((objection) => (
              <p key={objection.atMs} class="objection">
                <LeafLink id={objection.leafId} /> objects: <RowText text={objection.note} />
              </p>
            ))}
          </li>
        ))}
      </ul>
      {value !== undefined && value.total > SHOWN_ROWS && (
        <p class="soft small">and {showCount(value.total - SHOWN_ROWS)} more</p>
      )}
    </section>
  );
}
