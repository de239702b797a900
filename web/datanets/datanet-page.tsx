/** Page "#/datanets/ID" of one Datanet: fetches its facts from a host and shows the tab that the address names. */
import type { Card } from "@openledger/datanets/card/card";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Nav } from "../design/tabs.tsx";
import { placeOf } from "../hosts/hosts.ts";
import type { Visitor } from "../hosts/keys/visitor.ts";
import { datanetHref, type TabProps } from "../hosts/tab-props.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { RowText } from "../rows/row-text.tsx";
import { showCounted } from "../words/format.ts";
import { leafHref } from "../words/links.tsx";
import { Part } from "../words/part.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { AboutTab } from "./about-tab.tsx";
import { AccessTab } from "./access-tab.tsx";
import { ContributeTab } from "./contribute/contribute-tab.tsx";
import { WaitingRows } from "./contribute/under-way.tsx";
import { ModelsTab } from "./models-tab.tsx";
import { ReportTab } from "./report/report-tab.tsx";
import { CleanTab } from "./rows/clean-tab.tsx";
import { LabelTab } from "./rows/label-tab.tsx";
import { ReviewTab } from "./rows/review-tab.tsx";
import { RowTab } from "./rows/row-tab.tsx";
import { RowsTab } from "./rows/rows-tab.tsx";
import { VersionsTab } from "./versions/versions-tab.tsx";

interface Tab {
  readonly name: string;
  /** null: it is reached from others, and belongs to the rows. */
  readonly label: string | null;
  readonly show: (props: TabProps) => VNode;
}

const TABS: readonly Tab[] = [
  { name: "", label: "About", show: AboutTab },
  { name: "rows", label: "Rows", show: RowsTab },
  { name: "contribute", label: "Contribute", show: ContributeTab },
  { name: "label", label: "Label", show: LabelTab },
  { name: "review", label: "Review", show: ReviewTab },
  { name: "clean", label: "Clean", show: CleanTab },
  { name: "versions", label: "Versions", show: VersionsTab },
  { name: "models", label: "Models", show: ModelsTab },
  { name: "report", label: "Bias", show: ReportTab },
  { name: "access", label: "Access", show: AccessTab },
  { name: "row", label: null, show: RowTab },
];
/** Tabs for rows with labels: labels are given, and disputes settled. */
const LABELLING = ["label", "review"];
const menuOf = ({ labels }: Card) =>
  TABS.filter(({ label, name }) => label !== null && (labels.length > 0 || !LABELLING.includes(name)));

interface DatanetPageProps extends PageProps {
  readonly datanetId: number;
  readonly visitor: Visitor;
}

/** Page of one Datanet: its facts, and the work that there is. */
export function DatanetPage({ datanetId, live, rest, site, visitor }: DatanetPageProps) {
  const { problem, value } = useAnswer(live, `${datanetId}`, () => placeOf(site, visitor.reader, datanetId));
  const [name = "", ...more] = rest;
  const tab = TABS.find((one) => one.name === name);
  const tabs = useRef<HTMLDivElement>(null);
  // On a phone they are one long line.
  useEffect(() => {
    const current = tabs.current?.querySelector<HTMLElement>("[aria-current]");
    if (current != null) current.parentElement!.scrollLeft = current.offsetLeft - current.offsetWidth;
  }, [name, value === undefined]);
  return (
    <>
      {value === undefined && (
        <section class="stack-s">
          <p class="small">
            <a href="#/datanets">Datanets</a> <span class="soft">/ {datanetId}</span>
          </p>
          <h1>Datanet {datanetId}</h1>
        </section>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined &&
        (problem === null ? (
          <p class="soft">Loading …</p>
        ) : (
          <p>
            <a href={leafHref(datanetId)}>Show it on the ledger</a>
          </p>
        ))}
      {value !== undefined && (
        <>
          <section class="stack-s">
            <p class="small">
              <a href="#/datanets">Datanets</a> <span class="soft">/ {datanetId}</span>
            </p>
            <div class="row">
              <h1>
                <RowText text={value.facts.card.name} isOneLine />
              </h1>
              <span class="push" />
              {value.facts.card.access === "permissioned" && <Badge tone="wait">on request</Badge>}
              <span class="soft small">{showCounted(value.facts.here.rowCount, "row")}</span>
            </div>
          </section>
          <div ref={tabs} class="datanet-tabs">
            <Nav
              label="Parts of this Datanet"
              pages={menuOf(value.facts.card).map((one) => ({
                href: datanetHref(datanetId, one.name),
                label: one.label!,
              }))}
              current={datanetHref(datanetId, name === "row" ? "rows" : name)}
            />
          </div>
          {name !== "contribute" && <WaitingRows facts={value.facts} live={live} visitor={visitor} />}
          {tab === undefined ? (
            <p>
              Page not found. <a href={datanetHref(datanetId)}>Back to the Datanet</a>
            </p>
          ) : (
            <Part key={more.length === 0 ? name : `${name}/${more.join("/")}`}>
              <tab.show
                live={live}
                site={site}
                rest={more}
                visitor={visitor}
                place={value.place}
                facts={value.facts}
                onChange={() => live.ring()}
              />
            </Part>
          )}
        </>
      )}
    </>
  );
}
