/**
 * Finds verbatim spans: parts of an answer that occur word for word in rows that the reader has (docs/explanation/spans.md). The
 * rows are read once through the answer's suffix automaton, in time that grows with their bytes alone. Runs in browsers.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Steps } from "@openledger/foundation/slices";
import { attributionError } from "../attribution-errors.ts";
import { contentOfRow } from "../rows/salted-rows.ts";
import { decodeTextRow, isTextRow, wholeText } from "../rows/text-rows.ts";
import { AnswerAutomaton } from "./answer-automaton.ts";

/** Minimum length of a span. Shorter parts are turns of phrase that everybody uses. */
export const MIN_SPAN_CHARACTERS = 24;
/** Limits of one search: rows of the largest circuits, and bytes that a laptop's browser holds. */
export const SPAN_LIMITS = { answerBytes: 2 ** 15, rows: 65_536, rowBytes: 2 ** 26 } as const;
/** Maximum spans that are named, and rows that are named for each. */
const MAX_SPANS = 64;
const MAX_SOURCES = 3;
/** Default limit of a search in milliseconds: some hundred times what the largest one takes. */
const TIMEOUT_MS = 30_000;

/** Part of an answer that occurs in rows, in bytes of its UTF-8. */
export interface VerbatimSpan {
  readonly start: number;
  readonly end: number;
  /** Searched rows that have it. */
  readonly rowCount: number;
  /** The first few of them, with the offset of the span in each row's text, in bytes. */
  readonly sources: readonly { readonly row: number; readonly offset: number }[];
}

export interface FoundSpans<Span = VerbatimSpan> {
  /** The rarest first, of equally rare ones the longest. None is inside another. */
  readonly spans: readonly Span[];
  /** Shorter spans beyond the most that are named. */
  readonly omittedCount: number;
  /** Rows that were searched: fewer than there are if the time was over. */
  readonly searchedRowCount: number;
}

/** Span whose rows are named with their owners. */
export interface OwnedSpan extends Omit<VerbatimSpan, "sources"> {
  readonly sources: readonly {
    /** Index of the row among those that were searched. */
    readonly row: number;
    readonly offset: number;
    readonly contributorId: number;
    readonly validatorId: number;
    /** SHA-256 of the row, 64 hexadecimal digits. */
    readonly digest: string;
  }[];
}

/** Names the rows of spans. @param rows those that were searched */
export const ownedSpans = (
  { spans, ...found }: FoundSpans,
  rows: readonly { content: Uint8Array; contributorId: number; validatorId: number }[],
): FoundSpans<OwnedSpan> => ({
  ...found,
  spans: spans.map(({ sources, ...span }) => ({
    ...span,
    sources: sources.map((source) => {
      const { content, contributorId, validatorId } = rows[source.row]!;
      return { ...source, contributorId, validatorId, digest: bytesToHex(sha256(content)) };
    }),
  })),
});

/**
 * Finds every part of an answer, of 24 characters or more, that occurs in a row's text while no longer part around it does. Run it by
 * `inSlices`, which keeps a page alive; the step is the part of the rows that was searched.
 * @param rows contents: passages are searched by their text, others by their bytes
 * @param timeoutMs limit in milliseconds, after which the spans of the rows searched so far are given
 * @throws ATT_SPANS_TOO_LARGE before anything is searched
 */
export function* findSpans(
  answer: string,
  rows: readonly { readonly content: Uint8Array }[],
  { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Steps<FoundSpans> {
  const bytes = new TextEncoder().encode(answer);
  requireSize("answerBytes", bytes.length);
  requireSize("rows", rows.length);
  requireSize(
    "rowBytes",
    rows.reduce((sum, { content }) => sum + content.length, 0),
  );
  const automaton = new AnswerAutomaton(bytes, MIN_SPAN_CHARACTERS);
  const untilMs = performance.now() + timeoutMs;
  let searchedRowCount = 0;
  const hits: { readonly row: number; readonly text: Uint8Array }[] = [];
  for (const [row, { content }] of rows.entries()) {
    const text = textOf(content);
    if (automaton.read(text)) hits.push({ row, text });
    searchedRowCount = row + 1;
    if (performance.now() > untilMs) break;
    yield searchedRowCount / rows.length;
  }
  const found = wholeCharacters(bytes, automaton.matches());
  const byLength = found.toSorted((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  const counter = automaton.counter(byLength.slice(0, MAX_SPANS), MAX_SOURCES);
  for (const { row, text } of hits) {
    counter.read(row, text);
    yield 1;
  }
  return {
    // A stable sort: of equally rare ones the longest stays first.
    spans: counter.parts().toSorted((a, b) => a.rowCount - b.rowCount),
    omittedCount: Math.max(0, byLength.length - MAX_SPANS),
    searchedRowCount,
  };
}

/** @throws ATT_SPANS_TOO_LARGE */
function requireSize(what: keyof typeof SPAN_LIMITS, given: number): void {
  const max = SPAN_LIMITS[what];
  if (given > max)
    throw attributionError("ATT_SPANS_TOO_LARGE", `${given} ${what} are more than ${max}`, {
      data: { what, given, max },
    });
}

/** UTF-8 of a passage's text; other rows by their bytes, without the salt. */
function textOf(content: Uint8Array): Uint8Array {
  if (!isTextRow(content)) return contentOfRow(content);
  try {
    return new TextEncoder().encode(wholeText(decodeTextRow(content)));
  } catch {
    // A row that only begins as a passage does.
    return contentOfRow(content);
  }
}

interface Part {
  readonly start: number;
  readonly end: number;
}

const isBoundary = (text: Uint8Array, at: number): boolean =>
  at === text.length || (text[at]! & 0xc0) !== 0x80;

const countCharacters = (text: Uint8Array, { end, start }: Part): number =>
  text.subarray(start, end).reduce((count, byte) => count + Number((byte & 0xc0) !== 0x80), 0);

/** Cuts matches of bytes to whole characters. @param matches their starts and ends both rise */
function wholeCharacters(answer: Uint8Array, matches: readonly Part[]): Part[] {
  const cut = matches.map(({ end: to, start: from }): Part => {
    let start = from;
    let end = to;
    while (start < end && !isBoundary(answer, start)) start++;
    while (end > start && !isBoundary(answer, end)) end--;
    return { start, end };
  });
  return cut.filter((part, i) => {
    const [before, next] = [cut[i - 1], cut[i + 1]];
    // Starts and ends still rise, if not strictly: only a neighbour can hold another.
    const isInside = next?.start === part.start || (before?.end === part.end && before.start < part.start);
    return !isInside && countCharacters(answer, part) >= MIN_SPAN_CHARACTERS;
  });
}
