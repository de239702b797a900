/** Charts of the health page over the last batches: operations a minute, proof times (milliseconds), gas an operation. */
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { Chart, type ChartProps } from "../charts/chart.tsx";
import { showCount, showDuration } from "../words/format.ts";

type Value = (batch: LedgerBatch, before: LedgerBatch | undefined) => number | null;
type Drawn = Pick<ChartProps, "title" | "about" | "showY" | "isBars"> & {
  readonly series: readonly { readonly label: string; readonly value: Value }[];
};

const between = (from: number | null | undefined, to: number | null | undefined) =>
  from == null || to == null ? null : Math.max(0, to - from);

const operationsAMinute: Value = (batch, before) => {
  const apartMs = between(before?.closedAtMs, batch.closedAtMs);
  if (batch.counts == null || apartMs === null || apartMs === 0) return null;
  return (60_000 * batch.counts.operations) / apartMs;
};

const CHARTS: readonly Drawn[] = [
  {
    title: "Throughput",
    about: "Operations of a batch, divided by the minutes since the batch before.",
    isBars: true,
    showY: (y) => showCount(Math.round(y)),
    series: [{ label: "Operations per minute", value: operationsAMinute }],
  },
  {
    title: "Proof times",
    about: "Time of the prover, and time of each batch from closing to Ethereum.",
    showY: showDuration,
    series: [
      { label: "Proving", value: ({ proveMs }) => proveMs ?? null },
      {
        label: "Closing to Ethereum",
        value: ({ closedAtMs, postedAtMs }) => between(closedAtMs, postedAtMs),
      },
    ],
  },
  {
    title: "Gas per operation",
    about: "Gas of the batch in its Ethereum transaction, divided by its operations.",
    isBars: true,
    showY: (y) => showCount(Math.round(y)),
    series: [
      {
        label: "Gas",
        value: ({ counts, gasUsed }) =>
          gasUsed === null || !counts?.operations ? null : gasUsed / counts.operations,
      },
    ],
  },
];

/** Charts of closed batches. @param batches newest first */
export function BatchCharts({ batches }: { batches: readonly LedgerBatch[] }) {
  const oldestFirst = [...batches].reverse();
  return (
    <div class="columns">
      {CHARTS.map(({ series, ...chart }) => (
        <section key={chart.title} class="card">
          <Chart
            {...chart}
            xs={oldestFirst.map(({ number }) => number)}
            series={series.map(({ label, value }) => ({
              label,
              values: oldestFirst.map((batch, i) => value(batch, oldestFirst[i - 1])),
            }))}
            showX={(number) => `batch ${number}`}
          />
        </section>
      ))}
    </div>
  );
}
