/**
 * Tab "Rows" of a Datanet's page: a person filters and searches all rows at the host and opens one beside the list. Rows are
 * fetched as they come into view.
 */
import {
  fetchRowContents,
  findRows,
  getFieldStatistics,
  type RowQuery,
} from "@openledger/client/datanets/browse-rows";
import type { HostedRow } from "@openledger/client/datanets/row-schemas";
import type { Card } from "@openledger/datanets/card/card";
import { rowNumber } from "@openledger/foundation/row-number";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { Choice } from "../../design/choice.tsx";
import { Field } from "../../design/field.tsx";
import { NeedsAccess } from "../../hosts/needs-access.tsx";
import { datanetHref, readableLocation, type TabProps } from "../../hosts/tab-props.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { useFilter } from "../../routes.ts";
import { OutcomeBadge } from "../../rows/outcome-badge.tsx";
import { RowDetail } from "../../rows/row-detail.tsx";
import { RowPages } from "../../rows/row-pages.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showBytes } from "../../rows/show-bytes.ts";
import { TableCells, tableColumns } from "../../rows/table-columns.tsx";
import { Thumbnails } from "../../rows/thumbnails.ts";
import { VirtualList } from "../../rows/virtual-list.tsx";
import { showCount, showCounted, showTotal } from "../../words/format.ts";
import { ProblemNotice, problemOf } from "../../words/problem.tsx";

import { readFilters, writeFilters } from "./field-filters.ts";
import { FieldPanel } from "./field-panel.tsx";

/** Pause in typing after which the host is asked. */
const TYPING_MS = 250;
const STATES = [
  { name: "", label: "any state" },
  { name: "waiting", label: "waits for labels" },
  { name: "disputed", label: "disputed" },
  { name: "accepted", label: "accepted" },
  { name: "leftOut", label: "left out" },
] as const;
type State = (typeof STATES)[number]["name"];

/** Every row: looked through, filtered, searched, and read. `rows/commit/0x…` shows one contribution. */
export function RowsTab(props: TabProps) {
  return (
    <NeedsAccess {...props}>
      <Rows {...props} />
    </NeedsAccess>
  );
}

function Rows(props: TabProps) {
  const { facts, rest, visitor } = props;
  const commit = rest[0] === "commit" ? rest[1] : undefined;
  const [text, setText] = useFilter("q");
  const { fields, kind } = facts.card.row;
  const [fieldsText, setFieldsText] = useFilter("fields");
  const filters = readFilters(fieldsText, fields);
  const [question, questionFields] = useSettled([text.trim(), writeFilters(filters)]);
  const [label, setLabel] = useFilter("label");
  const [stateName, setState] = useFilter("state");
  const state: State = STATES.find(({ name }) => name === stateName)?.name ?? "";
  const [contributor, setContributor] = useFilter("contributor");
  const [openedText, setOpened] = useFilter("row");
  const selected = /^\d{1,8}$/.test(openedText) ? Number(openedText) : null;
  const setSelected = (index: number | null) => setOpened(index === null ? "" : `${index}`);
  const shown = useRef<unknown>(null);
  const [, setTurn] = useState(0);
  const query: RowQuery = {
    ...(question === "" ? {} : { text: question }),
    ...(label === "" ? {} : { label }),
    ...(state === "" ? {} : { state }),
    ...(commit === undefined ? {} : { commit }),
    ...(/^\d+$/.test(contributor) ? { contributor: Number(contributor) } : {}),
    ...(questionFields === "" ? {} : { fields: readFilters(questionFields, fields) }),
  };
  const about = JSON.stringify([query, facts.here, visitor.reader.leafId]);
  const location = readableLocation(props);
  const pages = useMemo(
    () =>
      new RowPages(
        (page) => findRows(visitor.reader, { ...location, ...query, ...page }),
        () => setTurn((count) => count + 1),
      ),
    [about],
  );
  useEffect(() => {
    if (shown.current !== null) setSelected(null);
    shown.current = pages;
    pages.want(selected ?? 0, (selected ?? 0) + 1);
    return () => pages.stop();
  }, [pages]);
  const range = useRef<readonly [number, number]>([0, 0]);
  const pictures = useMemo(
    () =>
      new Thumbnails(
        (digests) =>
          fetchRowContents(visitor.reader, { ...location, digests, maxRowBytes: facts.card.row.maxBytes }),
        () => setTurn((count) => count + 1),
      ),
    [facts.id, visitor.reader.leafId],
  );
  useEffect(() => () => pictures.stop(), [pictures]);
  /** Asks for the pictures of the rows in sight that have come. */
  const wantPictures = () => {
    const [first, end] = range.current;
    const rows = Array.from({ length: end - first }, (_, i) => pages.row(first + i));
    if (kind === "image") pictures.want(rows.filter((row) => row !== undefined));
  };
  useEffect(wantPictures);
  const counted = useLoad(`${facts.id}/${facts.here.rowCount}/${visitor.reader.leafId}`, async () =>
    kind === "table" ? getFieldStatistics(visitor.reader, location) : undefined,
  );
  const chosen = selected === null ? undefined : pages.row(selected);
  const { isTotalExact, total, undescribedCount } = pages;
  const isFiltered = question !== "" || questionFields !== "";
  return (
    <div class="stack">
      <section class="card rows-filter" aria-label="Filters">
        <Field
          label="Search the text"
          value={text}
          onInput={setText}
          placeholder="All of these words; attrib* matches any ending"
        />
        {facts.card.labels.length > 0 && (
          <Choice
            label="Label"
            value={label}
            onChoose={setLabel}
            options={[
              { name: "", label: "any label" },
              ...facts.card.labels.map(({ name }) => ({ name, label: name })),
            ]}
          />
        )}
        <Choice label="State" value={state} onChoose={setState} options={STATES} />
        <Field label="Contributor" value={contributor} onInput={setContributor} placeholder="any account" />
      </section>
      {kind === "table" && (
        <FieldPanel
          fields={fields}
          filters={filters}
          onFilters={(next) => setFieldsText(writeFilters(next))}
          statistics={counted.value}
        />
      )}
      {counted.problem !== null && <ProblemNotice problem={counted.problem} />}
      {commit !== undefined && (
        <p class="small">
          Rows of one contribution, {commit.slice(0, 10)}….{" "}
          <a href={datanetHref(facts.id, "rows")}>Show all rows</a>
        </p>
      )}
      {pages.failure !== null && <ProblemNotice problem={problemOf(pages.failure)} />}
      <p class="soft small" role="status">
        {total === null ? "Loading …" : showTotal({ total, isTotalExact })}
        {!isTotalExact && "; the first are shown. Add words or filters to narrow them down"}
        {isFiltered && undescribedCount > 0 && `; ${showCounted(undescribedCount, "new row")} being indexed`}
      </p>
      <div class={chosen === undefined ? "stack" : "beside rows-beside"}>
        {total !== null && total > 0 && (
          <VirtualList
            label="Rows"
            count={total}
            selected={selected}
            onSelect={setSelected}
            onRange={(first, end) => {
              range.current = [first, end];
              pages.want(first, end);
              wantPictures();
            }}
            row={(index) => {
              const row = pages.row(index);
              const picture = row === undefined ? undefined : pictures.address(row.digest);
              return <Line card={facts.card} index={index} row={row} picture={picture} />;
            }}
            columns={facts.card.row.kind === "table" ? tableColumns(facts.card.row.fields) : undefined}
          />
        )}
        {total === 0 && <p class="card soft">No rows match.</p>}
        {chosen !== undefined && (
          <section class="card stack rows-detail" aria-label="Row">
            <div class="row">
              <h2>Row {showCount(rowNumber(selected!))}</h2>
              <span class="push" />
              <Button isSmall onClick={() => setSelected(null)}>
                Close
              </Button>
            </div>
            <RowDetail {...props} digest={chosen.digest} />
          </section>
        )}
      </div>
    </div>
  );
}

interface LineProps {
  readonly card: Card;
  readonly index: number;
  /** undefined until it has come. */
  readonly row: HostedRow | undefined;
  /** Address of the row's picture, if it has one that has come. */
  readonly picture: string | undefined;
}

function Line({ card, index, picture, row }: LineProps) {
  if (row === undefined)
    return (
      <>
        <span class="line-number">{showCount(index + 1)}</span>
        <span class="line-text line-empty" />
      </>
    );
  return (
    <>
      <span class="line-number">{showCount(index + 1)}</span>
      {row.values !== null ? (
        <TableCells fields={card.row.fields} values={row.values} />
      ) : (
        <span class="line-text">
          {picture !== undefined && <img class="line-picture" src={picture} alt="" />}
          {row.excerpt === "" ? (
            <span class="soft">{row.isWellFormed ? "a picture" : "not a row of this kind"}</span>
          ) : (
            <RowText text={row.excerpt} isOneLine />
          )}
        </span>
      )}
      <span class="line-facts">
        {row.objectionCount > 0 && <Badge tone="wait">objection</Badge>}
        <OutcomeBadge outcome={row.outcome} />
        <span class="soft line-owner">by {row.contributorId}</span>
        <span class="soft line-bytes">{showBytes(row.bytes)}</span>
      </span>
    </>
  );
}

/** Texts that have not changed for a moment: what is being typed is not asked for yet. */
function useSettled<Texts extends readonly string[]>(texts: Texts): Texts {
  const [settled, setSettled] = useState(texts);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(texts), TYPING_MS);
    return () => clearTimeout(timer);
  }, texts);
  return settled;
}
