import type { AbsentPart, CitedSource, CitedSpan, Openings, SpanEvidence } from "./evidence.ts";
import type { Span } from "./find-spans.ts";
import { DOCUMENT_BYTES, ENTRY_BYTES } from "./index-root.ts";
import { wholeWindows } from "./span-characters.ts";
import type { SpanIndex } from "./span-index.ts";

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Entries that are looked through for further documents: a phrase of a thousand copies is not worth more. */
const MAX_ENTRIES_SEEN = 64;

export interface CiteOptions {
  /** Documents that are named for a span, at most. */
  readonly maxSources: number;
  /** Also show that there is no other span: about 100 kB for a kilobyte of answer. */
  readonly isComplete: boolean;
}

/** What a client needs to check these spans of an answer against the index's root. */
export function citeSpans(
  index: SpanIndex,
  answer: Uint8Array,
  spans: readonly Span[],
  { isComplete, maxSources }: CiteOptions,
): SpanEvidence {
  const places = new OpenedPlaces(index);
  const cited = spans.map((span): CitedSpan => {
    const pattern = answer.subarray(span.start, span.end);
    for (const entry of [span.lo - 1, span.lo, span.hi - 1, span.hi]) places.compare(entry, pattern);
    const { start, end, lo, hi } = span;
    return { start, end, lo, hi, sources: sourcesOf(index, span, pattern, places, maxSources) };
  });
  const absent = isComplete ? absentParts(index, answer, spans, places) : null;
  return { header: index.header, spans: cited, absent, openings: places.open() };
}

/** The bytes of text, array and documents that evidence refers to. */
export class OpenedPlaces {
  readonly #index: SpanIndex;
  readonly #ranges: Record<keyof Openings, Range[]> = { text: [], array: [], documents: [] };

  constructor(index: SpanIndex) {
    this.#index = index;
  }

  /** An entry, if there is one, and its text up to the first byte that differs from the pattern. */
  compare(entry: number, pattern: Uint8Array): void {
    const { array, text } = this.#index.parts;
    const from = array[entry];
    if (from === undefined) return;
    let size = 0;
    while (size < pattern.length && text[from + size] === pattern[size]) size++;
    this.entry(entry);
    this.text(from, from + Math.min(size + 1, pattern.length));
  }

  entry(entry: number): void {
    this.#ranges.array.push({ from: entry * ENTRY_BYTES, to: (entry + 1) * ENTRY_BYTES });
  }

  text(from: number, to: number): void {
    this.#ranges.text.push({ from, to });
  }

  document(index: number): void {
    this.#ranges.documents.push({ from: index * DOCUMENT_BYTES, to: (index + 1) * DOCUMENT_BYTES });
  }

  open(): Openings {
    const { trees } = this.#index.parts;
    return {
      text: trees.text.open(this.#ranges.text),
      array: trees.array.open(this.#ranges.array),
      documents: trees.documents.open(this.#ranges.documents),
    };
  }
}

/** One entry for each of the first few documents. */
function sourcesOf(
  index: SpanIndex,
  { lo, hi }: Span,
  pattern: Uint8Array,
  places: OpenedPlaces,
  maxSources: number,
): CitedSource[] {
  const sources = new Map<number, CitedSource>();
  const last = Math.min(hi, lo + MAX_ENTRIES_SEEN);
  for (let entry = lo; entry < last && sources.size < maxSources; entry++) {
    const document = index.documentAt(index.parts.array[entry]!);
    if (sources.has(document)) continue;
    sources.set(document, { entry, document });
    places.compare(entry, pattern);
    places.document(document);
  }
  return [...sources.values()];
}

/**
 * Parts that do not occur, so that every part of 24 characters holds one unless it lies in a span: then no span was
 * left out. Each is as far right as it can be, so that it serves as many parts as possible.
 */
function absentParts(
  index: SpanIndex,
  answer: Uint8Array,
  spans: readonly Span[],
  places: OpenedPlaces,
): AbsentPart[] {
  const absent: AbsentPart[] = [];
  for (const { start, end } of wholeWindows(answer, spans)) {
    // Ends rise with starts: only the newest part can lie in the window.
    const newest = absent[absent.length - 1];
    if (newest !== undefined && start <= newest.start && newest.end <= end) continue;
    let low = start;
    let high = end - 2;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (index.occurs(answer.subarray(middle, end))) high = middle - 1;
      else low = middle;
    }
    const size = Math.max(2, index.longestPrefix(answer.subarray(low, end)) + 1);
    const pattern = answer.subarray(low, low + size);
    const at = index.find(pattern).lo;
    for (const entry of [at - 1, at]) places.compare(entry, pattern);
    absent.push({ start: low, end: low + size, at });
  }
  return absent;
}
