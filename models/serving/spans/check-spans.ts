/**
 * The client's check of an answer's spans (parts that occur word for word in a Datanet's version): against the rows
 * that the server sends, and those against the version's root on the ledger. How often a span occurs, and that there
 * is no other, is the server's word. Runs in browsers.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import { digestToField, hashVersionRow } from "@openledger/circuits/ledger/version-rows";
import { TAG, TREE_ARITY } from "@openledger/circuits/protocol";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { boundedJson } from "@openledger/foundation/wire/bounded-body";
import { modelError } from "../../model-errors.ts";
import { countCharacters, isBoundary, MIN_SPAN_CHARACTERS } from "./span-characters.ts";
import { documentText, type RowText } from "./span-documents.ts";
import { falseSpans } from "./span-errors.ts";
import { pathOf, type SourceRow, type SpansAnswer, spansFromJson } from "./spans-answer.ts";

/** A row of the version that has the span. */
export interface CheckedSource {
  /** Place in the version's order. */
  readonly row: number;
  readonly contributorId: number;
  readonly validatorId: number;
  /** SHA-256 of the row's content, 64 hexadecimal digits. */
  readonly digest: string;
  /** Offset of the span's first place in the row's text, in bytes. */
  readonly offset: number;
}

/** A part of the answer, in bytes, that occurs in these rows. */
export interface CheckedSpan {
  readonly start: number;
  readonly end: number;
  /** Occurrences in the version, by the server. */
  readonly count: number;
  readonly sources: readonly CheckedSource[];
}

/**
 * Checks which spans occur in which rows of the version. Needs `initPoseidon`.
 * @param rowsRoot of the version, from the ledger: 64 hexadecimal digits
 * @param answer UTF-8
 * @throws MOD_SPANS_EVIDENCE_FALSE if a row is missing, is not in the version, or does not have its span
 */
export function checkSpans(
  rowsRoot: string,
  answer: Uint8Array,
  { rows, rowText, spans }: SpansAnswer,
): CheckedSpan[] {
  const root = BigInt(`0x${rowsRoot}`);
  const texts = new Map(rows.map((row) => [row.row, openRow(root, row, rowText)]));
  const checked = spans.map((span): CheckedSpan => {
    const { count, end, start } = span;
    if (start >= end || end > answer.length || !isBoundary(answer, start) || !isBoundary(answer, end))
      throw falseSpans("a span is not of whole characters of the answer", { start, end });
    if (countCharacters(answer, start, end) < MIN_SPAN_CHARACTERS)
      throw falseSpans(`a span has fewer than ${MIN_SPAN_CHARACTERS} characters`, { start, end });
    if (new Set(span.rows).size < span.rows.length) throw falseSpans("a row is named twice", { start, end });
    if (count < span.rows.length) throw falseSpans("a span occurs in more rows than it is counted");
    const pattern = bytesToHex(answer.subarray(start, end));
    const sources = span.rows.map((place): CheckedSource => {
      const row = texts.get(place);
      if (row === undefined) throw falseSpans("a source's row is missing", { row: place });
      const offset = indexOfBytes(row.text, pattern);
      if (offset < 0) throw falseSpans("a row does not have the span", { row: place, start, end });
      const { text: _text, ...source } = row;
      return { ...source, offset };
    });
    return { start, end, count, sources };
  });
  // In the order of their starts, their ends rise too: none is in another, and none is there twice.
  const byStart = [...checked].sort((a, b) => a.start - b.start);
  for (const [i, { end, start }] of byStart.entries()) {
    const before = byStart[i - 1];
    if (before !== undefined && (start === before.start || end <= before.end))
      throw falseSpans("a span is inside another one", { start, end });
  }
  return checked;
}

function openRow(rowsRoot: bigint, given: SourceRow, rowText: RowText) {
  const { content, contributorId, row, siblings, validatorId } = given;
  const digest = sha256(content);
  const leaf = hashVersionRow({ rowHash: digestToField(digest), contributorId, validatorId });
  // A leaf and a node have other tags: no other depth leads to the root.
  const isPlaced = row < TREE_ARITY ** siblings.length;
  if (!isPlaced || rootFromPath(row, leaf, pathOf(given), TAG.versionNode) !== rowsRoot)
    throw falseSpans("a row is not at its place in the version", { row });
  return { row, contributorId, validatorId, digest: bytesToHex(digest), text: textOf(content, rowText) };
}

function textOf(content: Uint8Array, rowText: RowText): string {
  try {
    return bytesToHex(documentText(content, rowText));
  } catch (error) {
    if (isRollupError(error)) throw falseSpans("a row is of another kind than its index");
    throw error;
  }
}

/** Both as hexadecimal digits; the place in bytes, or −1. */
function indexOfBytes(text: string, pattern: string): number {
  let at = text.indexOf(pattern);
  while (at % 2 === 1) at = text.indexOf(pattern, at + 1);
  return at < 0 ? at : at / 2;
}

/** Maximum bytes of an answer: it has the rows that are sources, whole. */
const MAX_ANSWER_BYTES = 2 ** 26;

export interface AskSpansOptions {
  readonly serverUrl: string;
  /** The answer's text. */
  readonly text: string;
  /** Rows root of the version that the ledger names: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  readonly timeoutMs?: number;
}

/**
 * The spans of a text as a model's server gives them, checked. null if the server has no index.
 * @throws MOD_SOURCE_UNREADABLE, MOD_SPANS_EVIDENCE_FALSE
 */
export async function askSpans(options: AskSpansOptions): Promise<CheckedSpan[] | null> {
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
    body = await boundedJson(response, MAX_ANSWER_BYTES);
  } catch (cause) {
    throw modelError("MOD_SOURCE_UNREADABLE", `no spans from ${url}`, { data: { url }, cause });
  }
  await initPoseidon();
  return checkSpans(rowsRoot, new TextEncoder().encode(text), spansFromJson(body));
}
