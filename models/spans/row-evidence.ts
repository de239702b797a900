/**
 * Rows that have a span, with their paths to the version's root: that a span occurs there then follows from the root on the
 * ledger, whatever an index says. How often it occurs, and that no other span does, needs an index's root. Needs `initPoseidon`.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { decodeRow } from "@openledger/attribution/rows/row-content";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import {
  digestToField,
  hashRow,
  hashVersionRow,
  treeDepth,
  treePath,
} from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER, TAG, TREE_ARITY } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import type { RowText, SpanEvidence } from "./evidence.ts";
import { countCharacters, isBoundary, MIN_SPAN_CHARACTERS } from "./span-characters.ts";
import { falseEvidence } from "./span-errors.ts";

/** Of 8^11 rows: more than 32 bits count. */
const MAX_DEPTH = 11;

/** A row of a version, whole. */
interface CitedRow extends OwnedRow {
  /** Place in the version's order. */
  readonly document: number;
  /** Seven siblings a level, from the row up. */
  readonly siblings: readonly (readonly bigint[])[];
}

export interface PresentSource {
  readonly document: number;
  readonly contributorId: number;
  readonly validatorId: number;
  /** SHA-256 of the row's content, 64 hexadecimal digits. */
  readonly digest: string;
  /** Of the span's first place in the row's text, in bytes. */
  readonly offset: number;
}

/** A part of the answer, in bytes, that occurs in these rows. */
export interface PresentSpan {
  readonly start: number;
  readonly end: number;
  readonly sources: readonly PresentSource[];
}

/** The rows that evidence names as sources, each once. @param rows of the version, in its order */
export function citeRows({ spans }: Pick<SpanEvidence, "spans">, rows: readonly OwnedRow[]): CitedRow[] {
  const leaves = rows.map((row) => hashVersionRow({ ...row, rowHash: hashRow(row.content) }));
  const named = new Set(spans.flatMap(({ sources }) => sources.map(({ document }) => document)));
  return [...named].map((document) => {
    const path = treePath(TAG.versionNode, leaves, treeDepth(rows.length), document);
    const siblings = path.map((children, level) => children.filter((_, i) => i !== digit(document, level)));
    return { ...rows[document]!, document, siblings };
  });
}

/**
 * Which spans occur in which rows of the version.
 * @param rowsRoot of the version, from the ledger
 * @throws MOD_SPANS_EVIDENCE_FALSE where a source's row is missing, is not in the version, or does not have the span
 */
export function checkCitedRows(
  rowsRoot: bigint,
  answer: Uint8Array,
  { header, spans }: Pick<SpanEvidence, "header" | "spans">,
  rows: readonly CitedRow[],
): PresentSpan[] {
  const texts = new Map(rows.map((row) => [row.document, openRow(rowsRoot, row, header.rowText)]));
  return spans.map(({ end, sources, start }) => {
    if (start >= end || end > answer.length || !isBoundary(answer, start) || !isBoundary(answer, end))
      throw falseEvidence("a span is not of whole characters of the answer", { start, end });
    if (countCharacters(answer, start, end) < MIN_SPAN_CHARACTERS)
      throw falseEvidence(`a span has fewer than ${MIN_SPAN_CHARACTERS} characters`, { start, end });
    const pattern = bytesToHex(answer.subarray(start, end));
    const present = sources.map(({ document }): PresentSource => {
      const row = texts.get(document);
      if (row === undefined) throw falseEvidence("a source's row is missing", { document });
      const offset = indexOfBytes(row.text, pattern);
      if (offset < 0) throw falseEvidence("a row does not have the span", { document, start, end });
      const { text: _text, ...source } = row;
      return { ...source, offset };
    });
    return { start, end, sources: present };
  });
}

function openRow(rowsRoot: bigint, row: CitedRow, rowText: SpanEvidence["header"]["rowText"]) {
  const { content, contributorId, document, siblings, validatorId } = row;
  const digest = sha256(content);
  const leaf = hashVersionRow({ rowHash: digestToField(digest), contributorId, validatorId });
  const path = siblings.map((some, level) => [
    ...some.slice(0, digit(document, level)),
    0n,
    ...some.slice(digit(document, level)),
  ]);
  // A leaf and a node have other tags: no other depth leads to the root.
  const isPlaced = document < TREE_ARITY ** siblings.length;
  if (!isPlaced || rootFromPath(document, leaf, path, TAG.versionNode) !== rowsRoot)
    throw falseEvidence("a row is not at its place in the version", { document });
  return { document, contributorId, validatorId, digest: bytesToHex(digest), text: textOf(content, rowText) };
}

function textOf(content: Uint8Array, rowText: SpanEvidence["header"]["rowText"]): string {
  try {
    return bytesToHex(documentText(content, rowText));
  } catch (error) {
    if (isRollupError(error)) throw falseEvidence("a row is of another kind than its index");
    throw error;
  }
}

/** Both as hexadecimal digits; the place in bytes, or −1. */
function indexOfBytes(text: string, pattern: string): number {
  let at = text.indexOf(pattern);
  while (at % 2 === 1) at = text.indexOf(pattern, at + 1);
  return at < 0 ? at : at / 2;
}

const digit = (document: number, level: number) => Math.floor(document / TREE_ARITY ** level) % TREE_ARITY;

const leafId = z.int().min(0).max(0xffffff);
const element = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform(BigInt)
  .refine((value) => value < FIELD_ORDER);
const rowsSchema = z.array(
  z.object({
    document: z.int().min(0).max(0xffffffff),
    contributorId: leafId,
    validatorId: leafId,
    content: z.base64(),
    siblings: z.array(z.array(element).length(TREE_ARITY - 1)).max(MAX_DEPTH),
  }),
);

export const citedRowsToJson = (rows: readonly CitedRow[]): object[] =>
  rows.map(({ content, contributorId, document, siblings, validatorId }) => ({
    ...{ document, contributorId, validatorId },
    content: btoa(Array.from(content, (byte) => String.fromCharCode(byte)).join("")),
    siblings: siblings.map((some) => some.map(hex32)),
  }));

/** @throws MOD_SPANS_EVIDENCE_FALSE where the value is not of this form */
export function citedRowsFromJson(value: unknown): CitedRow[] {
  const { success, data } = rowsSchema.safeParse(value);
  if (!success) throw falseEvidence("its rows are missing, or not of the documented form");
  return data.map((row) => ({
    ...row,
    content: Uint8Array.from(atob(row.content), (character) => character.charCodeAt(0)),
  }));
}

/** A row's text in an index of this kind, as UTF-8. @throws ATT_ROW_INVALID where the row is of another kind */
export function documentText(content: Uint8Array, rowText: RowText): Uint8Array {
  if (rowText === "plain") return content;
  const text = rowText === "email" ? decodeRow("email", content).input : wholeText(decodeTextRow(content));
  return new TextEncoder().encode(text);
}
