import { type Interval, invalidText, type SpanIndex } from "./span-index.ts";

/** Shorter ones say little: they are turns of phrase that everybody uses. */
export const MIN_SPAN_CHARACTERS = 24;

/** A part of an answer that occurs in the version word for word. */
export interface Span extends Interval {
  /** Bytes of the answer's UTF-8, whole characters. */
  readonly start: number;
  readonly end: number;
}

/**
 * Every part of an answer that occurs in the index and is in no longer such part, of 24 characters at least. The
 * rarest comes first, of equally rare ones the longest.
 *
 * @param answer UTF-8. @throws MOD_SPANS_TEXT_INVALID
 */
export function findSpans(index: SpanIndex, answer: Uint8Array): Span[] {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(answer);
  } catch (cause) {
    throw invalidText("the answer is no UTF-8", {}, cause);
  }
  const spans: Span[] = [];
  for (const [start, end] of wholeCharacters(answer, maximalMatches(index, answer))) {
    if (countCharacters(answer, start, end) < MIN_SPAN_CHARACTERS) continue;
    spans.push({ start, end, ...index.find(answer.subarray(start, end)) });
  }
  return spans.sort(
    (a, b) => a.hi - a.lo - (b.hi - b.lo) || b.end - b.start - (a.end - a.start) || a.start - b.start,
  );
}

export function isBoundary(text: Uint8Array, at: number): boolean {
  return at === text.length || (text[at]! & 0xc0) !== 0x80;
}

export function countCharacters(text: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((text[i]! & 0xc0) !== 0x80) count++;
  return count;
}

/**
 * Maximal matches as byte strings, from left to right: starts and ends both rise. A lookup is a walk through memory, so
 * few are made. What matches from p on ends at e; hence nothing that begins before p, and reaches it, ends behind e.
 */
function maximalMatches(index: SpanIndex, answer: Uint8Array): [number, number][] {
  const matches: [number, number][] = [];
  const size = MIN_SPAN_CHARACTERS;
  let start = 0;
  while (start + size <= answer.length) {
    const probe = start + (size >> 1);
    const reached = probe + index.longestPrefix(answer.subarray(probe));
    if (reached < start + size) {
      start = probe + 1;
      continue;
    }
    const end = start + index.longestPrefix(answer.subarray(start));
    if (end - start < size) {
      start++;
      continue;
    }
    matches.push([start, end]);
    if (end === answer.length) break;
    // The next match reaches over this end. If a part that does so occurs, so does every shorter one.
    let low = start + 1;
    let high = end + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const isThere = end + 1 - middle < 2 || index.occurs(answer.subarray(middle, end + 1));
      if (isThere) high = middle;
      else low = middle + 1;
    }
    start = low;
  }
  return matches;
}

/** Cut to whole characters; what then lies in another one is left out. */
function wholeCharacters(answer: Uint8Array, matches: readonly [number, number][]): [number, number][] {
  const cut = matches.map(([from, to]): [number, number] => {
    let start = from;
    let end = to;
    while (start < end && !isBoundary(answer, start)) start++;
    while (end > start && !isBoundary(answer, end)) end--;
    return [start, end];
  });
  // Starts and ends still rise, if not strictly: only a neighbour can hold another.
  return cut.filter(([start, end], i) => {
    const before = cut[i - 1];
    return cut[i + 1]?.[0] !== start && !(before !== undefined && before[1] === end && before[0] < start);
  });
}

/**
 * For each character the shortest part from it on that would be a further span: of 24 characters, and in none of the
 * spans. A list of spans is complete exactly if none of these parts occurs.
 */
export function wholeWindows(
  answer: Uint8Array,
  spans: readonly { readonly start: number; readonly end: number }[],
): { start: number; end: number }[] {
  const boundaries: number[] = [];
  for (let i = 0; i <= answer.length; i++) if (isBoundary(answer, i)) boundaries.push(i);
  const byStart = [...spans].sort((a, b) => a.start - b.start);
  const windows: { start: number; end: number }[] = [];
  let next = 0;
  let covered = 0;
  let place = 0;
  for (const [i, start] of boundaries.entries()) {
    while (next < byStart.length && byStart[next]!.start <= start)
      covered = Math.max(covered, byStart[next++]!.end);
    // `place`: of the first boundary behind what the spans cover.
    while (place < boundaries.length && boundaries[place]! <= covered) place++;
    const end = boundaries[Math.max(i + MIN_SPAN_CHARACTERS, place)];
    if (end === undefined) break;
    windows.push({ start, end });
  }
  return windows;
}
