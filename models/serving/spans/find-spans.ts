/**
 * Finds the parts of an answer that occur word for word in a Datanet's version. host-spans.ts serves them, `openledger
 * spans` prints them.
 */
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
 * @param answer UTF-8
 * @param maxComparedBytes of the text; what is found until then is given. Default: without end
 * @throws MOD_INPUT_INVALID
 */
export function findSpans(
  index: SpanIndex,
  answer: Uint8Array,
  maxComparedBytes = Number.POSITIVE_INFINITY,
): Span[] {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(answer);
  } catch (cause) {
    throw invalidText("the answer is no UTF-8", {}, cause);
  }
  const spans: Span[] = [];
  const limit = index.comparedBytes + maxComparedBytes;
  let before: Span | undefined;
  for (const { end, isSame, start } of wholeCharacters(answer, maximalMatches(index, answer, limit))) {
    if (countCharacters(answer, start, end) < MIN_SPAN_CHARACTERS) continue;
    if (index.comparedBytes >= limit) break;
    const { hi, lo } = isSame && before !== undefined ? before : index.find(answer.subarray(start, end));
    before = { start, end, lo, hi };
    spans.push(before);
  }
  return spans.sort(
    (a, b) => a.hi - a.lo - (b.hi - b.lo) || b.end - b.start - (a.end - a.start) || a.start - b.start,
  );
}

interface Match {
  readonly start: number;
  readonly end: number;
  /** True if its bytes are those of the match before it. */
  readonly isSame: boolean;
}

/**
 * Maximal matches as byte strings, from left to right: starts and ends both rise. A lookup is a walk through memory, so
 * few are made. What matches from p on ends at e; hence nothing that begins before p, and reaches it, ends behind e.
 */
function maximalMatches(index: SpanIndex, answer: Uint8Array, limit: number): Match[] {
  const matches: Match[] = [];
  const size = MIN_SPAN_CHARACTERS;
  let start = 0;
  while (start + size <= answer.length && index.comparedBytes < limit) {
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
    const isSame = repeats(answer, matches.at(-1), start, end);
    const period = isSame ? start - matches.at(-1)!.start : 0;
    matches.push({ start, end, isSame });
    const shift = isSame ? repeatMatch(answer, matches, period) : 0;
    if (end + shift >= answer.length) break;
    start = nextStart(index, answer, start + shift, end + shift);
  }
  return matches;
}

/** The next match reaches over this end. If a part that does so occurs, so does every shorter one. */
function nextStart(index: SpanIndex, answer: Uint8Array, start: number, end: number): number {
  const isThere = (from: number) => end + 1 - from < 2 || index.occurs(answer.subarray(from, end + 1));
  // Steps that double: if the answer repeats itself, it is the next one.
  let low = start + 1;
  let high = end + 1;
  for (let step = 1; low + step - 1 < high; step *= 2) {
    const probe = low + step - 1;
    if (isThere(probe)) high = probe;
    else low = probe + 1;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isThere(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** True if a match has the bytes of the one before it, and the byte behind them. */
function repeats(answer: Uint8Array, before: Match | undefined, start: number, end: number): boolean {
  if (before === undefined || before.end - before.start !== end - start || end === answer.length)
    return false;
  return Buffer.compare(answer.subarray(before.start, before.end + 1), answer.subarray(start, end + 1)) === 0;
}

/**
 * Adds the matches that follow from the last two, as long as the answer has their period: what a match is, and where the
 * next one begins, follows from its bytes and the byte behind them. @returns how far they go
 */
function repeatMatch(answer: Uint8Array, matches: Match[], period: number): number {
  const { end, start } = matches.at(-1)!;
  let shift = 0;
  let same = end + 1;
  for (;;) {
    while (same < answer.length && same <= end + shift + period && answer[same] === answer[same - period])
      same++;
    if (same <= end + shift + period) return shift;
    shift += period;
    matches.push({ start: start + shift, end: end + shift, isSame: true });
  }
}

/** Cuts spans to whole characters; a span that is then within another one is left out. */
function wholeCharacters(answer: Uint8Array, matches: readonly Match[]): Match[] {
  const cut = matches.map(({ end: to, isSame, start: from }): Match => {
    let start = from;
    let end = to;
    while (start < end && !isBoundary(answer, start)) start++;
    while (end > start && !isBoundary(answer, end)) end--;
    return { start, end, isSame };
  });
  // Starts and ends still rise, if not strictly: only a neighbour can hold another.
  return cut.filter(({ end, start }, i) => {
    const before = cut[i - 1];
    return (
      cut[i + 1]?.start !== start && !(before !== undefined && before.end === end && before.start < start)
    );
  });
}

/** Maximum entries looked through for further rows: a phrase of a thousand copies is not worth more. */
const MAX_ENTRIES_SEEN = 64;

/** A row that has a span. */
export interface SpanSource {
  /** Place in the version's order. */
  readonly row: number;
  /** Offset of the span's first place in the row's text, in bytes. */
  readonly offset: number;
}

/** The first few rows of a span. */
export function sourcesOf(index: SpanIndex, { lo, hi }: Span, maxSources: number): SpanSource[] {
  const sources = new Map<number, SpanSource>();
  const last = Math.min(hi, lo + MAX_ENTRIES_SEEN);
  for (let entry = lo; entry < last && sources.size < maxSources; entry++) {
    const position = index.parts.array[entry]!;
    const row = index.documentAt(position);
    const offset = position - index.document(row).start;
    const before = sources.get(row)?.offset ?? offset;
    sources.set(row, { row, offset: Math.min(before, offset) });
  }
  return [...sources.values()];
}
