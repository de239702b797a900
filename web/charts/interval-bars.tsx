/** Horizontal bars of estimates with their intervals, and a line at the value of the whole. The numbers stand beside the bars. */
import type { ComponentChildren } from "preact";

export interface IntervalBar {
  readonly key: string;
  readonly label: ComponentChildren;
  /** In the unit of the others; null: not known. */
  readonly value: number | null;
  /** null: nothing is known of the spread. */
  readonly low: number | null;
  readonly high: number | null;
  /** The numbers in words. */
  readonly text: ComponentChildren;
  /** True for what the reader should look at. */
  readonly isBad?: boolean;
}

/** The largest number of bars, for several figures of one scale. */
export const maxOfBars = (bars: readonly Pick<IntervalBar, "high" | "value">[]): number =>
  Math.max(0, ...bars.map(({ high, value }) => high ?? value ?? 0));

/** @param max number at the right end @param whole value of all together, as a dashed line; null: none */
export function IntervalBars({
  bars,
  max,
  title,
  whole,
}: {
  title: ComponentChildren;
  bars: readonly IntervalBar[];
  max: number;
  whole: number | null;
}) {
  const location = (value: number) => `${max === 0 ? 0 : (100 * value) / max}%`;
  return (
    <figure class="interval-bars stack-s">
      <figcaption>
        <h3>{title}</h3>
      </figcaption>
      <ul>
        {bars.map(({ high, isBad = false, key, label, low, text, value }) => (
          <li key={key} class={isBad ? "interval-bad" : undefined}>
            <span class="interval-name">{label}</span>
            <span class="interval-box" aria-hidden="true">
              {value !== null && <span class="interval-bar" style={{ width: location(value) }} />}
              {low !== null && high !== null && (
                <span class="interval-range" style={{ left: location(low), width: location(high - low) }} />
              )}
              {whole !== null && <span class="interval-whole" style={{ left: location(whole) }} />}
            </span>
            <span>{text}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
