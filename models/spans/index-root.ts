/** What an index commits to: three trees, and which version's rows they are of (docs/explanation/spans.md). */
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import type { OpenedBytes } from "./merkle-opening.ts";

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

/** A row of the version: its text is from `start` to `end`, where the separator stands. */
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
