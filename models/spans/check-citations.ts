/** The client's side: what a host says about an answer, checked against the index's root alone. Runs in browsers. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { modelError } from "../model-errors.ts";
import {
  DOCUMENT_BYTES,
  ENTRY_BYTES,
  evidenceFromJson,
  type IndexHeader,
  indexRoot,
  LEAF_BYTES,
  type Openings,
  readDocument,
  type SpanDocument,
  type SpanEvidence,
} from "./evidence.ts";
import { checkOpening, type OpenedBytes } from "./merkle-opening.ts";
import { countCharacters, isBoundary, MIN_SPAN_CHARACTERS, wholeWindows } from "./span-characters.ts";
import { falseEvidence } from "./span-errors.ts";

/** A place where a span occurs: shown by the text, the document and the root, without any further assumption. */
export interface CheckedSource extends SpanDocument {
  readonly document: number;
  /** Of the span in the document, in bytes. */
  readonly offset: number;
}

export interface CheckedSpan {
  /** Bytes of the answer. */
  readonly start: number;
  readonly end: number;
  /** How often it occurs, if the array is sorted (order-evidence.ts). */
  readonly count: number;
  readonly sources: readonly CheckedSource[];
}

export interface CheckedAnswer {
  readonly spans: readonly CheckedSpan[];
  /** No other span of the answer occurs, if the array is sorted. */
  readonly isComplete: boolean;
}

/**
 * @param root of the index, 64 hexadecimal digits: from anyone whom the client trusts, or made from the rows again
 * @param answer UTF-8
 * @throws MOD_SPANS_EVIDENCE_FALSE where anything does not follow from the root
 */
export function checkCitations(root: string, answer: Uint8Array, evidence: SpanEvidence): CheckedAnswer {
  const opened = openAll(root, evidence.header, evidence.openings);
  const spans = evidence.spans.map(({ start, end, lo, hi, sources }): CheckedSpan => {
    if (start >= end || end > answer.length || !isBoundary(answer, start) || !isBoundary(answer, end))
      throw falseEvidence("a span is not of whole characters of the answer", { start, end });
    if (countCharacters(answer, start, end) < MIN_SPAN_CHARACTERS)
      throw falseEvidence(`a span has fewer than ${MIN_SPAN_CHARACTERS} characters`, { start, end });
    const pattern = answer.subarray(start, end);
    if (hi <= lo) throw falseEvidence("a span has no entries", { lo, hi });
    checkNeighbours(opened, pattern, lo, hi);
    const sort = (entry: number) => compareSuffix(opened, entry, pattern);
    if (sort(lo) !== 0 || sort(hi - 1) !== 0)
      throw falseEvidence("an entry does not begin with its span", { lo, hi });
    const checked = sources.map((source) => checkSource(opened, pattern, lo, hi, source));
    if (new Set(checked.map(({ document }) => document)).size < checked.length)
      throw falseEvidence("a document is named twice");
    return { start, end, count: hi - lo, sources: checked };
  });
  // In the order of their starts, their ends rise too: none is in another, and none is there twice.
  const byStart = [...spans].sort((a, b) => a.start - b.start);
  for (const [i, { end, start }] of byStart.entries()) {
    const before = byStart[i - 1];
    if (before !== undefined && (start === before.start || end <= before.end))
      throw falseEvidence("a span is inside another one", { start, end });
  }
  if (evidence.absent !== null) checkAbsent(opened, answer, evidence.absent, spans);
  return { spans, isComplete: evidence.absent !== null };
}

export interface OpenedIndex {
  readonly header: IndexHeader;
  readonly text: OpenedBytes;
  readonly array: OpenedBytes;
  readonly documents: OpenedBytes;
}

/** @throws MOD_SPANS_EVIDENCE_FALSE where header or openings do not lead to the root */
export function openAll(root: string, header: IndexHeader, openings: Openings): OpenedIndex {
  if (bytesToHex(indexRoot(header)) !== root)
    throw falseEvidence("its header is not that of the root", { root });
  const { arrayRoot, documentCount, documentsRoot, textBytes, textRoot } = header;
  const check = (what: keyof Openings, byteLength: number, leafBytes: number, treeRoot: Uint8Array) =>
    checkOpening(openings[what], { byteLength, leafBytes, root: treeRoot, what });
  return {
    header,
    text: check("text", textBytes, LEAF_BYTES, textRoot),
    array: check("array", textBytes * ENTRY_BYTES, LEAF_BYTES, arrayRoot),
    documents: check("documents", documentCount * DOCUMENT_BYTES, DOCUMENT_BYTES, documentsRoot),
  };
}

/** All that begins with the pattern is from `lo` to `hi`: the entry before is smaller, the one behind greater. */
function checkNeighbours(opened: OpenedIndex, pattern: Uint8Array, lo: number, hi: number): void {
  const { textBytes } = opened.header;
  if (hi > textBytes) throw falseEvidence("an entry is behind the array's end", { hi });
  if (lo > 0 && compareSuffix(opened, lo - 1, pattern) >= 0)
    throw falseEvidence("the entry before does not come before the pattern", { lo });
  if (hi < textBytes && compareSuffix(opened, hi, pattern) <= 0)
    throw falseEvidence("the entry behind does not come behind the pattern", { hi });
}

/** An entry's suffix against the pattern: negative, positive, or 0 where it begins with it. */
function compareSuffix({ array, header, text }: OpenedIndex, entry: number, pattern: Uint8Array): number {
  const from = array.number(entry * ENTRY_BYTES);
  for (let i = 0; i < pattern.length; i++) {
    // What ends first is smaller.
    if (from + i >= header.textBytes) return -1;
    const difference = text.at(from + i) - pattern[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function checkSource(
  opened: OpenedIndex,
  pattern: Uint8Array,
  lo: number,
  hi: number,
  { document, entry }: { document: number; entry: number },
): CheckedSource {
  if (entry < lo || entry >= hi) throw falseEvidence("a source is none of the span's entries", { entry });
  if (compareSuffix(opened, entry, pattern) !== 0)
    throw falseEvidence("a source does not have the span", { entry });
  const position = opened.array.number(entry * ENTRY_BYTES);
  const row = readDocument(opened.documents, document);
  if (position < row.start || position + pattern.length > row.end)
    throw falseEvidence("a source is in another document", { entry, document });
  return { ...row, document, offset: position - row.start };
}

/** Every part that would be a further span holds one that does not occur. */
function checkAbsent(
  opened: OpenedIndex,
  answer: Uint8Array,
  absent: NonNullable<SpanEvidence["absent"]>,
  spans: readonly CheckedSpan[],
): void {
  for (const [i, { at, end, start }] of absent.entries()) {
    const before = absent[i - 1];
    const isInOrder = before === undefined || (start > before.start && end >= before.end);
    if (start >= end || end > answer.length || !isInOrder)
      throw falseEvidence("absent parts are not in order", { start, end });
    checkNeighbours(opened, answer.subarray(start, end), at, at);
  }
  let next = 0;
  for (const { end, start } of wholeWindows(answer, spans)) {
    while (next < absent.length && absent[next]!.start < start) next++;
    const first = absent[next];
    if (first === undefined || first.end > end)
      throw falseEvidence("it does not show that there is no other span", { start, end });
  }
}

// The spans of an answer over HTTP: how a client asks and checks. Runs in browsers. The server's side: host-spans.ts.

const givenSchema = z.object({ root: z.string().regex(/^[0-9a-f]{64}$/), evidence: z.unknown() });

export interface AskSpansOptions {
  readonly serverUrl: string;
  /** The answer's text. */
  readonly text: string;
  /** Of the version that the ledger names: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  /** Of an index that the client has, or trusts. Without, the server's is taken. */
  readonly root?: string | undefined;
  readonly timeoutMs?: number;
}

export interface HostedSpans extends CheckedAnswer {
  /** Of the index that everything was checked against. */
  readonly root: string;
}

/**
 * The spans of a text as a model's server gives them, checked. null where the server has no index.
 * @throws ATT_SERVER_UNREACHABLE, MOD_SPANS_EVIDENCE_FALSE
 */
export async function askSpans(options: AskSpansOptions): Promise<HostedSpans | null> {
  const { rowsRoot, serverUrl, text, timeoutMs = 10_000 } = options;
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/spans`;
  let body: unknown;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 204) return null;
    if (!response.ok) throw new Error(`status ${response.status}`);
    body = await response.json();
  } catch (cause) {
    throw modelError("MOD_SOURCE_UNREADABLE", `no spans from ${url}`, { data: { url }, cause });
  }
  const given = givenSchema.safeParse(body);
  if (!given.success) throw falseEvidence("it is not of the documented form");
  const root = options.root ?? given.data.root;
  const evidence = evidenceFromJson(given.data.evidence);
  const checked = checkCitations(root, new TextEncoder().encode(text), evidence);
  if (evidence.header.rowsRoot !== rowsRoot)
    throw falseEvidence("its index is of another version", { rowsRoot: evidence.header.rowsRoot });
  return { ...checked, root };
}
