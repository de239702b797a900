/** Horizontal bars of counts: statistics of a Datanet's rows, and why a new version leaves rows out. */
import type { Tone } from "../../design/badge.tsx";
import { RowText } from "../../rows/row-text.tsx";
import { divideWhole, showCount } from "../../words/format.ts";

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly tone?: Tone;
}

/**
 * Counts as parts of their sum, which is the whole width. The numbers stand beside the bars, so the bars say nothing that is not
 * written.
 */
export function Bars({ bars, title }: { title: string; bars: readonly Bar[] }) {
  const total = Math.max(
    1,
    bars.reduce((sum, { value }) => sum + value, 0),
  );
  const percents = divideWhole(
    100n,
    bars.map(({ value }) => BigInt(value)),
  );
  return (
    <figure class="bars">
      <figcaption>
        <h3>{title}</h3>
      </figcaption>
      <ul>
        {bars.map(({ label, tone = "info", value }, i) => (
          <li key={label}>
            <span class="bar-name">
              <RowText text={label} isOneLine />
            </span>
            <span class="bar-box" aria-hidden="true">
              <span class={`bar bar-${tone}`} style={{ width: `${(100 * value) / total}%` }} />
            </span>
            <span class="bar-value">
              {showCount(value)} <span class="soft">{String(percents[i])} %</span>
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
