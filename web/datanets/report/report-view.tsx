/** A report of bias in plots: slices with intervals, a red notice of slices served badly, pay, and the rows that move answers. */
import {
  type Notice as BiasNotice,
  isUnknown,
  noticesOf,
  type Report,
  type ReportAgreement,
  type ReportError,
  type ReportModel,
  type ReportSlice,
} from "@openledger/datanets/report/report";
import type { VNode } from "preact";
import { Chart } from "../../charts/chart.tsx";
import { IntervalBars, maxOfBars } from "../../charts/interval-bars.tsx";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { Notice } from "../../design/notice.tsx";
import { datanetHref } from "../../hosts/tab-props.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { Open } from "../../words/open.tsx";
import { Term } from "../../words/term.tsx";

/** Contributors of the table of pay. */
const SHOWN_PAID = 20;
const WAYS: Readonly<Record<ReportSlice["by"], string>> = {
  label: "By accepted label",
  contributor: "By contributor",
  length: "By length",
  script: "By writing",
  field: "By field",
};

const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(1)} %`;

/** Everything that a report says. */
export function ReportView({ report }: { report: Report }) {
  const { agreement, labels, languages, model, version } = report;
  const notices = noticesOf(report);
  return (
    <>
      {notices.length > 0 && <Noticed report={report} notices={notices} />}
      <section class="card stack" aria-label="In numbers">
        <h2>In numbers</h2>
        <div class="columns columns-small">
          <Figure value={showCount(version.rowCount)} name="rows" />
          <Figure
            value={isUnknown(agreement) ? "not known" : percent(shareOf(agreement))}
            name={isUnknown(agreement) ? `agreement: ${agreement.why}` : "of rows are labelled alike by all"}
          />
          <Figure
            value={
              isUnknown(agreement) || agreement.alphaPpm === null
                ? "not known"
                : (agreement.alphaPpm / 1e6).toFixed(2)
            }
            name={<Term name="Krippendorff's α" />}
          />
          {model !== null && !isUnknown(model.error) && (
            <Figure value={amountOf(model.error, model.error.value)} name={errorName(model)} />
          )}
        </div>
        <ul class="soft small">
          {version.withdrawnCount > 0 && (
            <li>{showCounted(version.withdrawnCount, "withdrawn row")} in no slice</li>
          )}
          {labels.unsignedCount > 0 && (
            <li>
              {showCounted(labels.unsignedCount, "accepted label")} signed by nobody's present key, so the
              host's word
            </li>
          )}
          {labels.otherKeyCount > 0 && (
            <li>
              {showCounted(labels.otherKeyCount, "label")} left out, signed by another key than the leaf's
            </li>
          )}
          <li>
            rows by language: not known, since {languages.rows.why}
            {languages.declared.length > 0 && ` (the card says ${languages.declared.join(", ")})`}
          </li>
          {model !== null && (
            <li>
              error of the model:{" "}
              {isUnknown(model.error) ? `not known, since ${model.error.why}` : model.error.how}
            </li>
          )}
        </ul>
      </section>
      <Slices report={report} notices={notices} />
      {model !== null && <Pay model={model} />}
      {model !== null && <Movers datanetId={report.datanetId} model={model} />}
    </>
  );
}

function Figure({ name, value }: { name: string | VNode; value: string }) {
  return (
    <div>
      <p class="figure">{value}</p>
      <p class="soft small">{name}</p>
    </div>
  );
}

const errorName = ({ error }: ReportModel) =>
  !isUnknown(error) && error.errorCount === null
    ? "nats a token, the loss on unseen rows"
    : "of unseen rows are labelled wrongly";

/** An error or a bound of it, in the error's unit. */
const amountOf = ({ errorCount }: ReportError, value: number): string =>
  errorCount === null ? (value / 1e6).toFixed(2) : percent(value);

function Noticed({ notices, report }: { report: Report; notices: readonly BiasNotice[] }) {
  return (
    <Notice
      tone="bad"
      title={`The model serves ${showCounted(notices.length, "kind")} of rows more than twice as badly as all`}
    >
      <ul>
        {notices.map(({ error, slice, whole }) => (
          <li key={keyOf(slice)}>
            {WAYS[slice.by].toLowerCase()} {slice.field !== null && <RowText text={slice.field} isOneLine />}{" "}
            <SliceName slice={slice} />: {amountOf(error, error.value)}, at least{" "}
            {amountOf(error, error.low!)}; all rows {amountOf(whole, whole.value)}
          </li>
        ))}
      </ul>
      <p class="small">
        The lower bound of a 95 % interval is more than twice the error of all{" "}
        {showCount(report.version.rowCount)} rows. Read it as a reason to look.
      </p>
    </Notice>
  );
}

const keyOf = ({ by, field, kind, name }: ReportSlice) => `${by}/${field}/${kind}/${name}`;

function SliceName({ slice: { by, kind, name } }: { slice: ReportSlice }) {
  if (kind === "missing") return <>none</>;
  if (kind === "rest") return <>{showCount(Number(name))} others</>;
  return by === "contributor" ? <LeafLink id={Number(name)} /> : <RowText text={name} isOneLine />;
}

/** A figure for each way to slice: errors where there is a model's half, else how far labellers agree, else counts. */
function Slices({ notices, report }: { report: Report; notices: readonly BiasNotice[] }) {
  const noticed = new Set(notices.map(({ slice }) => slice));
  const ways = new Map<string, ReportSlice[]>();
  for (const slice of report.slices) {
    const way = `${slice.by}/${slice.field}`;
    ways.set(way, [...(ways.get(way) ?? []), slice]);
  }
  const { agreement, model } = report;
  const error = model === null || isUnknown(model.error) ? null : model.error;
  const share = isUnknown(agreement) ? null : agreement;
  const whole = error?.value ?? (share === null ? null : shareOf(share));
  const barOf = (slice: ReportSlice) => ({
    key: keyOf(slice),
    label: <SliceName slice={slice} />,
    isBad: noticed.has(slice),
    ...(error !== null ? errorBar(slice) : share !== null ? agreementBar(slice) : countBar(slice)),
  });
  const figures = [...ways.values()].map((slices) => ({ first: slices[0]!, bars: slices.map(barOf) }));
  const max = maxOfBars(figures.flatMap(({ bars }) => bars));
  return (
    <section class="card stack" aria-label="Slices">
      <h2>
        <Term name="slice (of rows)">Slices</Term>
      </h2>
      <p class="soft small">
        {error !== null
          ? "Bars are errors, black lines their 95 % intervals, the dashed line the error of all rows."
          : share !== null
            ? "Bars are the part of rows that all labellers label alike, black lines the 95 % intervals, the dashed line all rows."
            : "Bars are counts of rows."}
      </p>
      {figures.map(({ bars, first }) => (
        <IntervalBars
          key={keyOf(first)}
          title={
            first.field === null ? (
              WAYS[first.by]
            ) : (
              <>
                By <RowText text={first.field} isOneLine />
              </>
            )
          }
          bars={bars}
          max={max}
          whole={whole}
        />
      ))}
    </section>
  );
}

const shareOf = ({ rowCount, unanimousCount }: ReportAgreement) => (1_000_000 * unanimousCount) / rowCount;

const countBar = ({ rowCount }: ReportSlice) => ({
  value: rowCount,
  low: null,
  high: null,
  text: showCounted(rowCount, "row"),
});

/** Names the rows that a number is of: all of a slice, or some. */
const ofRows = (some: number, all: number, what: string) =>
  some === all
    ? `of ${showCounted(all, "row")}`
    : `of ${showCount(some)} ${what}; ${showCounted(all, "row")}`;

function errorBar({ error, rowCount }: ReportSlice) {
  if (error === null)
    return { value: null, low: null, high: null, text: `${showCounted(rowCount, "row")}, none judged` };
  const { high, low, rowCount: judgedCount, value } = error;
  const range = low === null ? "" : ` (${amountOf(error, low)} to ${amountOf(error, high!)})`;
  return {
    value,
    low,
    high,
    text: `${amountOf(error, value)}${range} ${ofRows(judgedCount, rowCount, "judged")}`,
  };
}

function agreementBar({ agreement, rowCount }: ReportSlice) {
  if (agreement === null)
    return {
      value: null,
      low: null,
      high: null,
      text: `${showCounted(rowCount, "row")}, none labelled twice`,
    };
  const { highPpm, lowPpm, rowCount: labelledCount } = agreement;
  const value = shareOf(agreement);
  return {
    value,
    low: lowPpm,
    high: highPpm,
    text: `${percent(value)} (${percent(lowPpm)} to ${percent(highPpm)}) ${ofRows(labelledCount, rowCount, "labelled twice")}`,
  };
}

function Pay({ model: { pay } }: { model: ReportModel }) {
  if (isUnknown(pay))
    return (
      <section class="card stack-s" aria-label="Pay">
        <h2>Who is paid</h2>
        <p class="soft">Not known: {pay.why}.</p>
      </section>
    );
  const total = BigInt(pay.totalWei);
  const people = pay.lorenz.at(-1)!.people;
  const columns: Column<(typeof pay.contributors)[number]>[] = [
    { label: "Contributor", cell: ({ leafId }) => <LeafLink id={leafId} /> },
    { label: "Rows", isNumber: true, cell: ({ rowCount }) => showCount(rowCount) },
    {
      label: "Earned, OPEN",
      isNumber: true,
      cell: ({ earnedWei }) => <Open wei={BigInt(earnedWei)} isBare />,
    },
    {
      label: "Share",
      isNumber: true,
      cell: ({ earnedWei }) => percent(Number((BigInt(earnedWei) * 1_000_000n) / total)),
    },
  ];
  return (
    <section class="card stack" aria-label="Pay">
      <h2>Who is paid</h2>
      <div class="columns columns-small">
        <Figure value={(pay.giniPpm / 1e6).toFixed(2)} name={<Term name="Gini number" />} />
        <Figure value={showCount(people)} name="contributors" />
        <Figure value={showCount(pay.throughEpoch)} name="the last epoch counted" />
      </div>
      <p>
        Contributors have earned <Open wei={total} />.
      </p>
      <Chart
        title="Lorenz curve"
        about="Part of the pay that the contributors who earned least have together. The straight line: everybody earns the same."
        xs={pay.lorenz.map((point) => Math.round((100 * point.people) / people))}
        series={[
          { label: "pay", values: pay.lorenz.map(({ ppm }) => ppm / 10_000) },
          { label: "everybody the same", values: pay.lorenz.map((point) => (100 * point.people) / people) },
        ]}
        showX={(x) => `${x} %`}
        showY={(y) => `${y.toFixed(0)} %`}
      />
      <DataTable
        caption="Pay by contributor"
        columns={columns}
        rows={pay.contributors}
        keyOf={({ leafId }) => leafId}
        maxRows={SHOWN_PAID}
        more={(count) => `and ${showCount(count + (pay.rest?.contributorCount ?? 0))} more`}
        empty=""
      />
    </section>
  );
}

function Movers({ datanetId, model: { movers } }: { datanetId: number; model: ReportModel }) {
  if (isUnknown(movers))
    return (
      <section class="card stack-s" aria-label="Rows that move answers">
        <h2>Rows that move most answers</h2>
        <p class="soft">Not known: {movers.why}.</p>
      </section>
    );
  const columns: Column<(typeof movers.rows)[number]>[] = [
    {
      label: "Row",
      cell: ({ digest }) => (
        <a href={datanetHref(datanetId, `row/${digest}`)}>
          <code>{digest.slice(0, 16)}…</code>
        </a>
      ),
    },
    { label: "By", cell: ({ contributorId }) => <LeafLink id={contributorId} /> },
    {
      label: "Answers",
      isNumber: true,
      cell: ({ answerCount }) => `${showCount(answerCount)} of ${showCount(movers.answerCount)}`,
    },
  ];
  return (
    <section class="card stack" aria-label="Rows that move answers">
      <h2>Rows that move most answers</h2>
      <p class="soft small">
        The model answered {showCounted(movers.answerCount, "prompt")} that rows of this version make. A row
        moves an answer if its score is among the ten highest; its own prompt does not count.
      </p>
      <DataTable
        caption="Rows that move most answers"
        columns={columns}
        rows={movers.rows}
        keyOf={({ digest }) => digest}
        empty="No row has a score above zero."
      />
    </section>
  );
}
