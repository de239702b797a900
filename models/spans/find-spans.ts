import { countCharacters, isBoundary, MIN_SPAN_CHARACTERS } from "./span-characters.ts";
import { invalidText } from "./span-errors.ts";
import type { Interval, SpanIndex } from "./span-index.ts";

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
