/**
 * Statistics on the about tab of a Datanet's page: rows, sizes in bytes, labels, growth by day (UTC), and agreement of labellers
 * by Cohen's κ, Fleiss' κ or Krippendorff's α.
 */
import type { DatanetStatistics } from "@openledger/client/datanets/row-schemas";
import type { Card } from "@openledger/datanets/card/card";
import { Chart } from "../../charts/chart.tsx";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { datanetHref } from "../../hosts/tab-props.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showBytes } from "../../rows/show-bytes.ts";
import { showCount, showCounted } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { Bars } from "./bars.tsx";

const DAY_MS = 86_400_000;
const dayOf = (day: string) => Math.floor(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
const showDay = (day: number) => new Date(day * DAY_MS).toISOString().slice(5, 10);
const METHODS = { cohen: "Cohen's κ", fleiss: "Fleiss' κ", krippendorff: "Krippendorff's α" } as const;

/** Name of the agreement among labellers, the same wherever it is shown. */
export const AGREEMENT = "agreement (0–1)";

const STATES = [
  ["accepted", "accepted", "good"],
  ["waiting", "waiting for labels", "plain"],
  ["disputed", "disputed", "wait"],
  ["leftOut", "left out", "bad"],
] as const;

/** Classes, states, lengths, growth and agreement, as pictures with their numbers. */
export function Statistics({
  card,
  datanetId,
  statistics,
}: {
  card: Card;
  datanetId: number;
  statistics: DatanetStatistics;
}) {
  const { growth, labelling, labels, lengths, states } = statistics;
  if (statistics.rowCount === 0)
    return (
      <section class="card stack">
        <p class="soft">No rows yet.</p>
        <div class="row">
          <a class="button button-main" href={datanetHref(datanetId, "contribute")}>
            Contribute the first rows
          </a>
        </div>
      </section>
    );
  const byDay = [
    ...new Set([...growth.map(({ day }) => day), ...labelling.agreementByDay.map(({ day }) => day)]),
  ].sort();
  const { agreement } = labelling;
  let total = 0;
  const grown = byDay.map((day) => {
    total += growth.find((one) => one.day === day)?.rowCount ?? 0;
    return total;
  });
  return (
    <section class="card stack" aria-label="In numbers">
      <h2>In numbers</h2>
      <div class="columns columns-small">
        <Figure value={showCount(statistics.rowCount)} name="rows" />
        <Figure value={showBytes(statistics.bytes)} name="in total" />
        <Figure value={agreement.value === null ? "–" : agreement.value.toFixed(2)} name={AGREEMENT} />
        <Figure value={showCount(statistics.contributors.length)} name="contributors" />
      </div>
      {agreement.value !== null && (
        <p class="soft small">Agreement is {METHODS[agreement.method]}: 1 where all labellers agree.</p>
      )}
      <Bars
        title="Rows by state"
        bars={STATES.map(([name, label, tone]) => ({ label, tone, value: states[name] }))}
      />
      {card.labels.length > 0 && (
        <Bars
          title="Rows by label"
          bars={[...labels]
            .sort((a, b) => b.rowCount - a.rowCount)
            .map(({ label, rowCount }) => ({
              label: label === "" ? "no accepted label yet" : label,
              value: rowCount,
            }))}
        />
      )}
      <Bars
        title="Rows by size"
        bars={lengths
          .filter(({ rowCount }) => rowCount > 0)
          .map(({ maxBytes, rowCount }) => ({ label: `up to ${showBytes(maxBytes)}`, value: rowCount }))}
      />
      {byDay.length > 1 && (
        <Chart
          title="Growth"
          about="Total of committed rows."
          xs={byDay.map(dayOf)}
          series={[{ label: "rows", values: grown }]}
          showX={showDay}
          showY={showCount}
        />
      )}
      {labelling.agreementByDay.length > 1 && (
        <Chart
          title="Agreement over time"
          about={`Agreement of labellers beyond chance, by the day of a row's last label; 1 is full agreement. ${METHODS[agreement.method]}.`}
          xs={labelling.agreementByDay.map(({ day }) => dayOf(day))}
          series={[{ label: "agreement", values: labelling.agreementByDay.map(({ value }) => value) }]}
          showX={showDay}
          showY={(value) => value.toFixed(2)}
        />
      )}
      <Teams statistics={statistics} />
      <Labellers statistics={statistics} />
      <Suggestions statistics={statistics} />
    </section>
  );
}

function Teams({ statistics: { labelling } }: { statistics: DatanetStatistics }) {
  type Team = (typeof labelling.teams)[number];
  const columns: Column<Team>[] = [
    { label: "Team", cell: ({ name }) => <RowText text={name} isOneLine /> },
    { label: "People", isNumber: true, cell: ({ memberCount }) => showCount(memberCount) },
    { label: "Labels", isNumber: true, cell: ({ labelCount }) => showCount(labelCount) },
    { label: "Last 7 days", isNumber: true, cell: ({ weekCount }) => showCount(weekCount) },
    { label: "Agreement", isNumber: true, cell: ({ agreement: { value } }) => value?.toFixed(2) ?? "–" },
    { label: "Gold rows correct", isNumber: true, cell: ({ gold }) => showGold(gold) },
  ];
  if (labelling.teams.length === 0) return null;
  return (
    <DataTable caption="Teams" columns={columns} rows={labelling.teams} keyOf={({ name }) => name} empty="" />
  );
}

/** Agreement with a model's suggestions by labellers who saw them, and by those who did not. */
function Suggestions({ statistics: { labelling } }: { statistics: DatanetStatistics }) {
  const { rowCount, seen, unseen } = labelling.suggestions;
  if (rowCount === 0) return null;
  const part = ({ other, same }: typeof seen) =>
    same + other === 0
      ? "no labels yet"
      : `${((100 * same) / (same + other)).toFixed(0)} % of ${same + other}`;
  return (
    <p class="soft small">
      A model suggests a label for {showCounted(rowCount, "row")}. Labels that match it: {part(seen)} where
      the labeller saw it, {part(unseen)} where not.
    </p>
  );
}

const showGold = ({ right, wrong }: { right: number; wrong: number }) =>
  right + wrong === 0 ? "–" : `${right} of ${right + wrong}`;

function Labellers({ statistics: { labelling } }: { statistics: DatanetStatistics }) {
  type Labeller = (typeof labelling.labellers)[number];
  const columns: Column<Labeller>[] = [
    { label: "Labeller", cell: ({ leafId }) => <LeafLink id={leafId} /> },
    { label: "Labels", isNumber: true, cell: ({ labelCount }) => showCount(labelCount) },
    {
      label: "Gold rows correct",
      isNumber: true,
      cell: ({ gold }) => showGold(gold),
    },
  ];
  if (labelling.labellers.length === 0) return null;
  const rows = [...labelling.labellers].sort((a, b) => b.labelCount - a.labelCount);
  return (
    <DataTable caption="Labellers" columns={columns} rows={rows} keyOf={({ leafId }) => leafId} empty="" />
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <p class="figure">{value}</p>
      <p class="soft small">{name}</p>
    </div>
  );
}
