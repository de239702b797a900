/**
 * Order of reading of a page's texts by their positions: lines from the top, columns one after the other, from the side where writing
 * begins. Positions are in the direction of writing: whoever calls it turns the page's texts upright.
 */

/** Text at its position: `y` is the base line, counted from the page's lower edge. */
export interface PageText {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** True for Hebrew, Arabic and other writing from right to left. */
  readonly isRightToLeft: boolean;
}

/** Space between texts of a line, in heights of its letters: from here on there is a blank, or another column. */
const BLANK = 0.15;
const GUTTER = 1.5;
/** Lines, and characters a line, that a column has at least: narrower ones are a table's. */
const MIN_COLUMN_LINES = 3;
const MIN_COLUMN_CHARACTERS = 15;

type Line = readonly PageText[];

/** Returns the page's lines in the order of reading; a line of two columns is two. */
export function orderLines(items: readonly PageText[]): PageText[] {
  return orderOf(linesOf(items));
}

function orderOf(lines: readonly Line[]): PageText[] {
  const found = findColumns(lines);
  if (found === null) return lines.map(joined);
  const { at, from, to } = found;
  const inside = lines.slice(from, to);
  const side = (isLeft: boolean) =>
    inside.map((line) => line.filter(({ x }) => x < at === isLeft)).filter(({ length }) => length > 0);
  const isLeftFirst = !isMostlyRightToLeft(inside.flat());
  return [
    ...orderOf(lines.slice(0, from)),
    ...orderOf(side(isLeftFirst)),
    ...orderOf(side(!isLeftFirst)),
    ...orderOf(lines.slice(to)),
  ];
}

/** Texts of one base line, from left to right; lines from the top. */
function linesOf(items: readonly PageText[]): Line[] {
  const lines: PageText[][] = [];
  for (const item of [...items].sort((a, b) => b.y - a.y || a.x - b.x)) {
    const line = lines.at(-1);
    if (line !== undefined && Math.abs(line[0]!.y - item.y) < item.height / 2) line.push(item);
    else lines.push([item]);
  }
  return lines.map((line) => segmentsOf(line.sort((a, b) => a.x - b.x)));
}

/** Joins what is close together, so that a wide space remains between two texts. */
function segmentsOf(line: Line): PageText[] {
  const segments: PageText[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const item of line) {
    if (item.x - end > GUTTER * item.height) segments.push([item]);
    else segments.at(-1)!.push(item);
    end = Math.max(end, item.x + item.width);
  }
  return segments.map((items) => join(items));
}

function isMostlyRightToLeft(texts: readonly PageText[]): boolean {
  let balance = 0;
  for (const { isRightToLeft, text } of texts) balance += isRightToLeft ? text.length : -text.length;
  return balance > 0;
}

/**
 * Texts from left to right in the order of reading: from the right if most of them are so, where what is written the other way, as a
 * number is, keeps its own order.
 */
function inOrder(line: Line, isRightToLeft: boolean): PageText[] {
  const ordered = isRightToLeft ? [...line].reverse() : [...line];
  for (let from = 0; from < ordered.length; from++) {
    let to = from;
    while (to < ordered.length && ordered[to]!.isRightToLeft !== isRightToLeft) to++;
    if (to - from > 1) ordered.splice(from, to - from, ...ordered.slice(from, to).reverse());
    from = Math.max(from, to - 1);
  }
  return ordered;
}

/** Joins texts of one line, given from left to right. @param isApart true if there is a blank between all of them */
function join(line: Line, isApart = false): PageText {
  const isRightToLeft = isMostlyRightToLeft(line);
  const [first, ...others] = inOrder(line, isRightToLeft) as [PageText, ...PageText[]];
  let { text } = first;
  let last = first;
  for (const next of others) {
    const [left, right] = last.x <= next.x ? [last, next] : [next, last];
    const gap = right.x - left.x - left.width;
    const hasBlank = isApart || gap > BLANK * next.height;
    text += `${hasBlank && !text.endsWith(" ") && !next.text.startsWith(" ") ? " " : ""}${next.text}`;
    last = next;
  }
  const start = line[0]!.x;
  return {
    text,
    x: start,
    y: first.y,
    width: Math.max(...line.map(({ width, x }) => x + width)) - start,
    height: Math.max(...line.map(({ height }) => height)),
    isRightToLeft,
  };
}

/** A line as one text. */
function joined(line: Line): PageText {
  const text = join(line, true);
  return { ...text, text: text.text.replace(/\s+/g, " ").trim() };
}

interface Columns {
  readonly from: number;
  readonly to: number;
  /** Left edge of the second column. */
  readonly at: number;
}

/** Finds the longest run of lines that a vertical gap divides; null if there is none. */
function findColumns(lines: readonly Line[]): Columns | null {
  let best: Columns | null = null;
  for (let from = 0; from < lines.length; from++) {
    if (best !== null && lines.length - from <= best.to - best.from) break;
    let taken: readonly (readonly [number, number])[] = [];
    for (let to = from + 1; to <= lines.length; to++) {
      taken = withLine(taken, lines[to - 1]!);
      const at = gapOf(taken, lines[from]![0]!.height);
      if (at === null && to - from >= MIN_COLUMN_LINES) break;
      if (at === null || !areColumns(lines.slice(from, to), at)) continue;
      if (best === null || to - from > best.to - best.from) best = { from, to, at };
    }
  }
  return best;
}

/** Intervals of the page's width that have text, merged and ascending. */
function withLine(
  taken: readonly (readonly [number, number])[],
  line: Line,
): readonly (readonly [number, number])[] {
  const all = [...taken, ...line.map(({ width, x }) => [x, x + width] as const)].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [start, end] of all) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** Left edge of what follows the widest gap; null if none is wide enough. */
function gapOf(taken: readonly (readonly [number, number])[], height: number): number | null {
  let widest = GUTTER * height;
  let at: number | null = null;
  for (const [i, [start]] of taken.entries()) {
    const gap = i === 0 ? 0 : start - taken[i - 1]![1];
    if (gap < widest) continue;
    widest = gap;
    at = start;
  }
  return at;
}

function areColumns(lines: readonly Line[], at: number): boolean {
  for (const isLeft of [true, false]) {
    const texts = lines.flatMap((line) => line.filter(({ x }) => x < at === isLeft));
    const characters = texts.reduce((sum, { text }) => sum + text.length, 0);
    if (texts.length < MIN_COLUMN_LINES || characters < MIN_COLUMN_CHARACTERS * texts.length) return false;
  }
  return true;
}
