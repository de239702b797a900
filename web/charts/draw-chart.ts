/** uPlot with the pages' measures and colours. Fetched when the first chart is shown. */
import uPlot from "uplot";
import { tickSpacePx } from "./tick-space.ts";
import "uplot/dist/uPlot.min.css";

/** Height of a chart. */
const HEIGHT_PX = 200;
const FONT = '12px "Inter Variable", system-ui, sans-serif';
/** Tokens of the theme, in the order of the series. */
const TONES = ["--accent", "--info", "--wait"];
/** Minimum width of an axis and distance of its ticks. */
const MIN_TICK_PX = 48;

export interface ChartData {
  readonly xs: readonly number[];
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
  readonly isBars?: boolean;
  /** Lines of numbers that are all far from 0: the picture begins near the least. */
  readonly isCloseUp?: boolean;
  readonly showX: (x: number) => string;
  readonly showY: (y: number) => string;
}

export interface DrawnChart {
  /** Other numbers in the same picture, with as many series. */
  update(data: Pick<ChartData, "xs" | "series">): void;
  destroy(): void;
}

const measure = document.createElement("canvas").getContext("2d")!;
function textWidthOf(text: string): number {
  measure.font = FONT;
  return measure.measureText(text).width;
}
/** Width of an axis' label with the gap to the axis, in pixels. */
const widthOf = (label: string) => textWidthOf(label) + 14;

/** Draws into a box, and again in the other colours when the reader's system changes them. Nothing moves by itself. */
export function drawChart(
  box: HTMLElement,
  { isBars, isCloseUp, series, showX, showY, xs }: ChartData,
): DrawnChart {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let data = aligned({ xs, series });
  let plot = draw();
  function draw(): uPlot {
    const styles = getComputedStyle(box);
    const token = (name: string) => styles.getPropertyValue(name).trim();
    const axis = { stroke: token("--ink-soft"), font: FONT, ticks: { show: false } };
    const grid = { stroke: token("--line"), width: 1 };
    const bars = uPlot.paths.bars!({ size: [0.6, 40], radius: 0.15 });
    return new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, ...(isBars ? { range: (_, min, max) => [min - 0.6, max + 0.6] } : {}) },
          y: {
            range: (_, min, max) => {
              const room = Math.max(0.1 * (max - min), 0.01 * max);
              return isCloseUp ? [Math.max(0, min - room), max + room] : [0, max > 0 ? max * 1.1 : 1];
            },
          },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: () => tickSpacePx(MIN_TICK_PX, data[0] as number[], showX, textWidthOf),
            size: 28,
            values: (_, splits) => splits.map((x) => (Number.isInteger(x) ? showX(x) : "")),
          },
          {
            ...axis,
            grid,
            size: (_, labels) => Math.max(...(labels ?? []).map((label) => widthOf(label)), MIN_TICK_PX),
            values: (_, splits) => splits.map((y) => (y === 0 ? "0" : showY(y))),
          },
        ],
        series: [
          {},
          ...series.map(({ label }, i) => {
            const stroke = token(TONES[i % TONES.length]!);
            return {
              label,
              stroke,
              width: 2,
              spanGaps: true,
              ...(isBars ? { paths: bars, fill: stroke, points: { show: false } } : {}),
            };
          }),
        ],
      },
      data,
      box,
    );
  }
  const again = () => {
    plot.destroy();
    plot = draw();
  };
  const resized = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width)
      plot.setSize({ width: box.clientWidth, height: HEIGHT_PX });
  });
  resized.observe(box);
  scheme.addEventListener("change", again);
  return {
    update(next) {
      data = aligned(next);
      plot.setData(data);
    },
    destroy() {
      resized.disconnect();
      scheme.removeEventListener("change", again);
      plot.destroy();
    },
  };
}

const aligned = ({ series, xs }: Pick<ChartData, "xs" | "series">) =>
  [[...xs], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
