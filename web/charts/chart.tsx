/**
 * Frame of every chart of the pages: title, meaning, legend, and the same numbers as a table. uPlot draws it (draw-chart.ts),
 * fetched with the first chart.
 */
import { useEffect, useId, useRef } from "preact/hooks";
import { DataTable } from "../design/data-table.tsx";
import type { ChartData, DrawnChart } from "./draw-chart.ts";

export interface ChartProps extends ChartData {
  readonly title: string;
  /** Meaning of the numbers, in a sentence. */
  readonly about: string;
}

/** True if there are enough numbers for a picture. */
export const isChart = (series: ChartData["series"]): boolean =>
  series.some(({ values }) => values.filter((value) => value !== null).length > 1);

/** Chart with the table of its numbers behind it, for those who read or hear them. */
export function Chart(props: ChartProps) {
  const { about, series, showX, showY, title, xs } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const isDrawn = isChart(series);
  const numbers = JSON.stringify([xs, series]);
  const lines = series.map(({ label }) => label).join("\n");
  const latest = useRef(props);
  latest.current = props;
  const drawn = useRef<DrawnChart | null>(null);
  useEffect(() => {
    const target = box.current;
    if (target === null || !isDrawn) return;
    let isOver = false;
    void import("./draw-chart.ts").then(({ drawChart }) => {
      if (!isOver) drawn.current = drawChart(target, latest.current);
    });
    return () => {
      isOver = true;
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [isDrawn, lines]);
  // New numbers are put into the same picture.
  useEffect(() => drawn.current?.update(latest.current), [numbers]);
  const rows = xs.map((x, i) => ({ x, values: series.map(({ values }) => values[i] ?? null) }));
  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        <p class="soft small">{about}</p>
      </figcaption>
      {!isDrawn && <p class="soft">Not enough data for a chart yet.</p>}
      {isDrawn && <div ref={box} class="chart-box" aria-hidden="true" />}
      {isDrawn && series.length > 1 && (
        <ul class="chart-key small" aria-hidden="true">
          {series.map(({ label }, i) => (
            <li key={label} class={`chart-tone-${i}`}>
              {label}
            </li>
          ))}
        </ul>
      )}
      {isDrawn && (
        <details>
          <summary class="row small">The same as a table</summary>
          <div class="folded">
            <DataTable
              caption={title}
              columns={[
                { label: "At", cell: ({ x }: (typeof rows)[number]) => showX(x) },
                ...series.map(({ label }, i) => ({
                  label,
                  isNumber: true,
                  cell: ({ values }: (typeof rows)[number]) => (values[i] == null ? "–" : showY(values[i])),
                })),
              ]}
              rows={rows}
              keyOf={({ x }) => x}
              empty=""
            />
          </div>
        </details>
      )}
    </figure>
  );
}
