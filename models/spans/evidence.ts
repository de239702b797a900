/** What a host hands out beside an answer, and its form as JSON. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { HASH_BYTES, type OpenedBytes, type Opening } from "./merkle-opening.ts";
import { falseEvidence } from "./span-errors.ts";

// What an index commits to: three trees, and which version's rows they are of (docs/explanation/spans.md).

/** How rows become documents: their bytes as they are, or the text of e-mails, or of rows of texts (docs/reference/attribution.md). */
export const ROW_TEXTS = ["plain", "email", "text"] as const;
export type RowText = (typeof ROW_TEXTS)[number];

/** Ends every document: UTF-8 never has it, so no span goes over the end of a document. */
export const SEPARATOR = 0xff;
/** Bytes of a leaf of text and of array: smaller ones lengthen the path by more than they save, and cost more hashes. */
export const LEAF_BYTES = 256;
/** Of the array, little-endian. */
export const ENTRY_BYTES = 4;
/** Start, end, contributor, validator: four bytes each, little-endian; then the SHA-256 of the row. */
export const DOCUMENT_BYTES = 48;

/** A row of the version: its text is from `start` to `end`, where the separator is. */
export interface SpanDocument {
  readonly start: number;
  readonly end: number;
  /** Leaves of the ledger. */
  readonly contributorId: number;
  readonly validatorId: number;
  /** SHA-256 of the row's content, 64 hexadecimal digits. */
  readonly digest: string;
}

/** Everything that the root of an index covers. Roots are of 32 bytes. */
export interface IndexHeader {
  readonly rowText: RowText;
  /** Of all documents with their separators; the array has as many entries. */
  readonly textBytes: number;
  readonly documentCount: number;
  /** Of the Datanet's version on the ledger: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  readonly textRoot: Uint8Array;
  readonly arrayRoot: Uint8Array;
  readonly documentsRoot: Uint8Array;
}

/** SHA-256 over a tag that no leaf or node of a tree begins with, and the header's fields in their order. */
export function indexRoot(header: IndexHeader): Uint8Array {
  const numbers = new Uint8Array(12);
  const view = new DataView(numbers.buffer);
  view.setUint32(0, ROW_TEXTS.indexOf(header.rowText));
  view.setUint32(4, header.textBytes);
  view.setUint32(8, header.documentCount);
  const hash = sha256.create().update(new TextEncoder().encode("openledger spans 1")).update(numbers);
  for (const part of [hexToBytes(header.rowsRoot), header.textRoot, header.arrayRoot, header.documentsRoot]) {
    hash.update(part);
  }
  return hash.digest();
}

export function encodeDocument(document: SpanDocument, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, DOCUMENT_BYTES);
  view.setUint32(0, document.start, true);
  view.setUint32(4, document.end, true);
  view.setUint32(8, document.contributorId, true);
  view.setUint32(12, document.validatorId, true);
  into.set(hexToBytes(document.digest), 16);
}

/** @param bytes at least of the documents that are read, one after the other */
export function readDocument(bytes: Pick<OpenedBytes, "at" | "number">, index: number): SpanDocument {
  const from = index * DOCUMENT_BYTES;
  const number = (i: number) => bytes.number(from + 4 * i);
  const digest = Array.from({ length: 32 }, (_, i) => hexByte(bytes.at(from + 16 + i))).join("");
  return { start: number(0), end: number(1), contributorId: number(2), validatorId: number(3), digest };
}

const hexByte = (byte: number) => byte.toString(16).padStart(2, "0");

/** An entry of the array whose place in the text is in this document. */
export interface CitedSource {
  readonly entry: number;
  readonly document: number;
}

/** A part of the answer, in bytes, and the entries that begin with it: from `lo` up to, not with, `hi`. */
export interface CitedSpan {
  readonly start: number;
  readonly end: number;
  readonly lo: number;
  readonly hi: number;
  readonly sources: readonly CitedSource[];
}

/** A part of the answer that does not occur: it would stand between the entries `at` - 1 and `at`. */
export interface AbsentPart {
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

export interface Openings {
  readonly text: Opening;
  readonly array: Opening;
  readonly documents: Opening;
}

/** Two neighbours of an index that are out of order (order-evidence.ts). */
export interface OrderEvidence {
  readonly header: IndexHeader;
  readonly what: "entries" | "documents";
  /** The first of the two neighbours; for documents -1 where the first one does not begin at 0. */
  readonly first: number;
  readonly openings: Openings;
}

/** Everything that a client needs beside the answer and the index's root. */
export interface SpanEvidence {
  readonly header: IndexHeader;
  readonly spans: readonly CitedSpan[];
  /** Shows that no other span is there; null where the host was not asked to show that. */
  readonly absent: readonly AbsentPart[] | null;
  readonly openings: Openings;
}

const count = z.int().min(0).max(0xffffffff);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const base64 = z.base64();
const openingSchema = z.object({ indices: z.array(count), leaves: base64, siblings: base64 });
const headerSchema = z.object({
  rowText: z.enum(ROW_TEXTS),
  textBytes: count,
  documentCount: count,
  rowsRoot: hash,
  textRoot: hash,
  arrayRoot: hash,
  documentsRoot: hash,
});
const openingsSchema = z.object({ text: openingSchema, array: openingSchema, documents: openingSchema });
const evidenceSchema = z.object({
  header: headerSchema,
  spans: z.array(
    z.object({
      start: count,
      end: count,
      lo: count,
      hi: count,
      sources: z.array(z.object({ entry: count, document: count })),
    }),
  ),
  absent: z.array(z.object({ start: count, end: count, at: count })).nullable(),
  openings: openingsSchema,
});
const orderSchema = z.object({
  header: headerSchema,
  what: z.enum(["entries", "documents"]),
  first: z.int().min(-1),
  openings: openingsSchema,
});

export function evidenceToJson({ header, openings, ...rest }: SpanEvidence): object {
  return { header: headerToJson(header), ...rest, openings: openingsToJson(openings) };
}

export function orderToJson({ header, openings, ...rest }: OrderEvidence): object {
  return { header: headerToJson(header), ...rest, openings: openingsToJson(openings) };
}

/** @throws MOD_SPANS_EVIDENCE_FALSE where the value is not of this form */
export function evidenceFromJson(value: unknown): SpanEvidence {
  const { success, data } = evidenceSchema.safeParse(value);
  if (!success) throw falseEvidence("it is not of the documented form");
  const { header, openings, ...rest } = data;
  return { ...rest, header: headerFromJson(header), openings: openingsFromJson(openings) };
}

/** @throws MOD_SPANS_EVIDENCE_FALSE where the value is not of this form */
export function orderFromJson(value: unknown): OrderEvidence {
  const { success, data } = orderSchema.safeParse(value);
  if (!success) throw falseEvidence("it is not of the documented form");
  const { header, openings, ...rest } = data;
  return { ...rest, header: headerFromJson(header), openings: openingsFromJson(openings) };
}

const headerToJson = (header: IndexHeader) => ({
  ...header,
  textRoot: bytesToHex(header.textRoot),
  arrayRoot: bytesToHex(header.arrayRoot),
  documentsRoot: bytesToHex(header.documentsRoot),
});

const headerFromJson = (header: z.infer<typeof headerSchema>): IndexHeader => ({
  ...header,
  textRoot: hexToBytes(header.textRoot),
  arrayRoot: hexToBytes(header.arrayRoot),
  documentsRoot: hexToBytes(header.documentsRoot),
});

const openingsToJson = ({ array, documents, text }: Openings) => ({
  text: openingToJson(text),
  array: openingToJson(array),
  documents: openingToJson(documents),
});

const openingsFromJson = ({ array, documents, text }: z.infer<typeof openingsSchema>): Openings => ({
  text: openingFromJson(text, LEAF_BYTES),
  array: openingFromJson(array, LEAF_BYTES),
  documents: openingFromJson(documents, DOCUMENT_BYTES),
});

function openingToJson({ indices, leaves, siblings }: Opening) {
  return { indices, leaves: toBase64(leaves), siblings: toBase64(siblings) };
}

/** Only the last leaf of a tree may be shorter, and it is the last of an opening, too. */
function openingFromJson(json: z.infer<typeof openingSchema>, leafBytes: number): Opening {
  return {
    indices: json.indices,
    leaves: cut(fromBase64(json.leaves), leafBytes),
    siblings: cut(fromBase64(json.siblings), HASH_BYTES),
  };
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

// Buffer is not in browsers, and Uint8Array.fromBase64 is not in Node 20.
function toBase64(parts: readonly Uint8Array[]): string {
  const text = parts.map((part) => Array.from(part, (byte) => String.fromCharCode(byte)).join("")).join("");
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
