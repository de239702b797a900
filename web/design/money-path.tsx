/**
 * Picture of a division of money (amounts in wei) for an answer's payment and an epoch's settlement: an SVG with a list of the
 * same parts for screen readers.
 */

interface Part {
  readonly key: string;
  readonly label: string;
  readonly wei: bigint;
}

interface MoneyPathProps {
  title: string;
  /** Name of the amount that is divided. */
  from: string;
  parts: readonly Part[];
  /** Formats the amounts and their sum. */
  showParts: (amountsWei: readonly bigint[]) => { readonly sum: string; readonly parts: readonly string[] };
  unit: string;
}

/** Sizes of the drawing, in the SVG's own units: at full width a unit is a pixel. */
const WIDTH = 640;
const HEIGHT = 220;
const GAP = 10;
const BAR = 14;
const TEXT_X = 392;
/** Colours that follow one another; the label says which is which. */
const TONES = 6;
const MIN_PX = 3;
const LABEL_PX = 24;

/**
 * Division of money: one bar, and from it a band to each who got a part, as wide as the part. Its list says the same.
 */
export function MoneyPath({ title, from, parts, showParts, unit }: MoneyPathProps) {
  const shown = parts.filter(({ wei }) => wei > 0n);
  const total = shown.reduce((sum, { wei }) => sum + wei, 0n);
  if (total === 0n) return null;
  const written = showParts(shown.map(({ wei }) => wei));
  const height = Math.max(HEIGHT, shown.length * (LABEL_PX + GAP));
  const room = height - GAP * (shown.length - 1);
  const bands: { part: Part; y0: number; y1: number; size: number; labelY: number }[] = [];
  let y0 = (height - room) / 2;
  let y1 = 0;
  let labelY = 0;
  for (const part of shown) {
    const size = Math.max(MIN_PX, (Number((part.wei * 1_000_000n) / total) / 1_000_000) * room);
    labelY = Math.max(labelY, y1 + size / 2 + 5);
    bands.push({ part, y0, y1, size, labelY });
    y0 += size;
    y1 += Math.max(size + GAP, labelY + LABEL_PX - 5 - y1 - size / 2 - 5);
    labelY += LABEL_PX;
  }
  const full = Math.max(height, ...bands.map((band) => Math.max(band.labelY + 8, band.y1 + band.size)));
  return (
    <figure class="money-path">
      <figcaption>
        {title}: {written.sum} {unit}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${Math.ceil(full)}`} aria-hidden="true">
        <rect x="0" y={bands[0]!.y0} width={BAR} height={y0 - bands[0]!.y0} rx="3" class="money-source" />
        {bands.map(({ part, y0: top, y1: end, size, labelY: textY }, i) => (
          <g key={part.key} class={`money-tone-${i % TONES}`}>
            <path d={band(top, end, size)} class="money-band" />
            <rect x={TEXT_X - BAR - 8} y={end} width={BAR} height={size} rx="3" class="money-end" />
            <text x={TEXT_X} y={textY} class="money-label">
              {written.parts[i]} {unit} · {part.label}
            </text>
          </g>
        ))}
      </svg>
      <ul class="money-list" aria-label={`Parts of ${from}`}>
        {bands.map(({ part }, i) => (
          <li key={part.key} class={`money-tone-${i % TONES}`}>
            <span>
              {written.parts[i]} {unit} · {part.label}
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function band(top: number, end: number, size: number): string {
  const [left, right] = [BAR, TEXT_X - BAR - 8];
  const middle = (left + right) / 2;
  const curve = (y0: number, y1: number, x: number) => `C ${middle} ${y0} ${middle} ${y1} ${x} ${y1}`;
  return `M ${left} ${top} ${curve(top, end, right)} L ${right} ${end + size} ${curve(end + size, top + size, left)} Z`;
}
