/**
 * Section "My rows" of the earnings page: the rows that the account has contributed to the Datanets of the page's hosts, with a
 * button to withdraw each.
 */
import { findRows } from "@openledger/client/datanets/browse-rows";
import { listHostCommits } from "@openledger/client/datanets/hosted-history";
import type { RowsPage } from "@openledger/client/datanets/row-schemas";
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { findEverywhere } from "../hosts/hosts.ts";
import { readVisitor, type Visitor } from "../hosts/keys/visitor.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { RowText } from "../rows/row-text.tsx";
import { WithdrawRow } from "../rows/withdraw-row.tsx";
import { showCounted } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import "./my-rows.css";

/** Datanets that are looked through. */
const MAX_DATANETS = 50;
/** Rows that are shown of a Datanet at first, and with each "more". */
const SHOWN_ROWS = 20;

type MyRowsProps = Pick<PageProps, "live" | "site"> & { readonly leafId: number };

/** Rows of the visitor's account, by Datanet. */
export function MyRows({ leafId, live, site }: MyRowsProps) {
  const visitor = readVisitor(site, live);
  const reader = visitor?.reader ?? null;
  const { problem, value } = useAnswer(live, `own rows ${leafId} ${reader !== null}`, async () => {
    if (reader === null) return [];
    const { datanets } = await findEverywhere(site, reader, {});
    const counted = await Promise.all(
      datanets.slice(0, MAX_DATANETS).map(async ({ facts, hostUrls }) => {
        const place = { hostUrl: hostUrls[0]!, datanetId: facts.id };
        // Of permissioned Datanets, too, whose statistics are their readers'.
        const own = (await listHostCommits(reader, place)).filter(
          ({ contributorId }) => contributorId === leafId,
        );
        const rowCount = own.reduce((sum, { receivedCount }) => sum + receivedCount, 0);
        return { place, name: facts.name, access: facts.access.kind, rowCount };
      }),
    );
    return counted.filter(({ rowCount }) => rowCount > 0);
  });
  if (visitor === null || value?.length === 0) return null;
  return (
    <section class="card stack" aria-label="My rows">
      <h2>My rows</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined && problem === null && <p class="soft">Loading …</p>}
      {value?.map((one) => (
        <OfDatanet key={one.place.datanetId} {...one} leafId={leafId} live={live} visitor={visitor} />
      ))}
    </section>
  );
}

interface OfDatanetProps {
  readonly place: { readonly hostUrl: string; readonly datanetId: number };
  readonly name: string;
  readonly access: "public" | "permissioned";
  readonly rowCount: number;
  readonly leafId: number;
  readonly live: PageProps["live"];
  readonly visitor: Visitor;
}

function OfDatanet({ access, leafId, live, name, place, rowCount, visitor }: OfDatanetProps) {
  const [limit, setLimit] = useState(SHOWN_ROWS);
  const [isOpen, setOpen] = useState(false);
  const isSigned = access === "permissioned" && visitor.client !== null;
  return (
    <div class="stack-s">
      <div class="row">
        <h3>
          <a href={datanetHref(place.datanetId, `rows?contributor=${leafId}`)}>
            <RowText text={name} isOneLine />
          </a>
        </h3>
        <span class="soft small">{showCounted(rowCount, "row")}</span>
        <span class="push" />
        <Button isSmall onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Hide rows" : "Show rows"}
        </Button>
      </div>
      {isOpen && (
        <RowList
          key={limit}
          {...{ isSigned, leafId, live, place, visitor }}
          limit={limit}
          onMore={() => setLimit(limit + SHOWN_ROWS)}
        />
      )}
    </div>
  );
}

interface RowListProps extends Pick<OfDatanetProps, "leafId" | "live" | "place" | "visitor"> {
  readonly isSigned: boolean;
  readonly limit: number;
  readonly onMore: () => void;
}

function RowList({ isSigned, leafId, limit, live, onMore, place, visitor }: RowListProps) {
  const question = { ...place, contributor: leafId, limit: Math.min(limit, 200), isSigned };
  const { problem, value } = useAnswer(
    live,
    `rows of ${leafId} in ${place.datanetId} ${limit} ${isSigned}`,
    (): Promise<RowsPage> => findRows(visitor.reader, question),
  );
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Loading …</p>;
  return (
    <>
      <ul class="my-rows">
        {value.rows.map(({ digest, excerpt, withdrawnAtMs }) => (
          <li key={digest}>
            <a href={datanetHref(place.datanetId, `row/${digest}`)}>
              <RowText text={excerpt === "" ? `${digest.slice(0, 16)}…` : excerpt} isOneLine />
            </a>
            {withdrawnAtMs === null ? (
              <WithdrawRow digest={digest} place={place} visitor={visitor} onDone={() => live.ring()} />
            ) : (
              <Badge tone="bad">withdrawn</Badge>
            )}
          </li>
        ))}
      </ul>
      {value.total > limit && limit < 200 && (
        <Button isSmall onClick={onMore}>
          Show more
        </Button>
      )}
    </>
  );
}
