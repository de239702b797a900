/**
 * Turns the rows of a Datanet's version into the documents of an index of verbatim spans: how each row becomes text. Index,
 * finder and client share them. Runs in browsers.
 */

import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";

/** Ways to turn rows into documents: their bytes as they are, or the text of passages (docs/reference/attribution.md). */
export const ROW_TEXTS = ["plain", "passage"] as const;
export type RowText = (typeof ROW_TEXTS)[number];

/** Ends every document: UTF-8 never has it, so no span goes over the end of a document. */
export const SEPARATOR = 0xff;
/** Start, end, contributor, validator: four bytes each, little-endian; then the SHA-256 of the row. */
export const DOCUMENT_BYTES = 48;

/** A row of the version: its text is from `start` to `end`, the place of the separator. */
export interface SpanDocument {
  readonly start: number;
  readonly end: number;
  /** Leaves of the ledger. */
  readonly contributorId: number;
  readonly validatorId: number;
  /** SHA-256 of the row's content, 64 hexadecimal digits. */
  readonly digest: string;
}

export function encodeDocument(document: SpanDocument, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, DOCUMENT_BYTES);
  view.setUint32(0, document.start, true);
  view.setUint32(4, document.end, true);
  view.setUint32(8, document.contributorId, true);
  view.setUint32(12, document.validatorId, true);
  into.set(hexToBytes(document.digest), 16);
}

/** @param documents DOCUMENT_BYTES each */
export function readDocument(documents: Uint8Array, index: number): SpanDocument {
  const from = index * DOCUMENT_BYTES;
  const view = new DataView(documents.buffer, documents.byteOffset + from, DOCUMENT_BYTES);
  return {
    start: view.getUint32(0, true),
    end: view.getUint32(4, true),
    contributorId: view.getUint32(8, true),
    validatorId: view.getUint32(12, true),
    digest: bytesToHex(documents.subarray(from + 16, from + DOCUMENT_BYTES)),
  };
}

/** A row's text in an index of this kind, as UTF-8. @throws ATT_ROW_INVALID if the row is of another kind */
export function documentText(content: Uint8Array, rowText: RowText): Uint8Array {
  return rowText === "plain"
    ? contentOfRow(content)
    : new TextEncoder().encode(wholeText(decodeTextRow(content)));
}
