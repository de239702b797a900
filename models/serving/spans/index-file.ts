/**
 * File of an index of a Datanet version's text, in which find-spans.ts searches for parts that occur word for word. `openledger
 * datanet index` writes it, the answer server reads it. All numbers little-endian:
 *
 *   0    8  "OLSPANS" and a byte 0
 *   8    4  version of the format, 3
 *   12   4  place of the row's text rule in ROW_TEXTS
 *   16   4  bytes of text, n
 *   20   4  documents, d
 *   24   8  bytes of the file
 *   32  32  root of the Datanet's version
 *   64  32  SHA-256 of the file with zeros in this place
 *   96      documents (48 d), array (4 n), text (n)
 */

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { modelError } from "../../model-errors.ts";
import { DOCUMENT_BYTES, ROW_TEXTS, readDocument, SEPARATOR } from "./span-documents.ts";
import { MAX_TEXT_BYTES, SpanIndex } from "./span-index.ts";

const MAGIC = new TextEncoder().encode("OLSPANS\0");
const FORMAT_VERSION = 3;
const HEADER_BYTES = 96;
const ENTRY_BYTES = 4;
const DIGEST_AT = 64;
/** Bytes of one read: a single call for a long read would fail as a whole. */
const PART_BYTES = 1 << 26;

/** Writes to a part file and renames it: a kill leaves the old file or the new one. */
export async function writeIndexFile(path: string, index: SpanIndex): Promise<{ fileBytes: number }> {
  const { array, documents, rowText, rowsRoot, text } = index.parts;
  // Every machine that Node runs on here is little-endian.
  const arrayBytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const body = [documents, arrayBytes, text];
  const fileBytes = body.reduce((sum, { length }) => sum + length, HEADER_BYTES);
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, ROW_TEXTS.indexOf(rowText), true);
  view.setUint32(16, text.length, true);
  view.setUint32(20, index.documentCount, true);
  view.setBigUint64(24, BigInt(fileBytes), true);
  header.set(hexToBytes(rowsRoot), 32);
  const hash = createHash("sha256").update(header);
  for (const part of body) hash.update(part);
  header.set(hash.digest(), DIGEST_AT);
  await writeFileWhole(path, [header, ...body]);
  return { fileBytes };
}

/**
 * Reads an index. Nothing is allocated before the file's size agrees with its header, and nothing is read out of its
 * bounds later: every number in it is checked here. That its array is sorted is not: what a server says is checked against rows.
 *
 * @throws MOD_FILE_INVALID
 */
export async function readIndexFile(path: string): Promise<SpanIndex> {
  const invalid = (reason: string, cause?: unknown) =>
    modelError("MOD_FILE_INVALID", `${path} is no sound index of spans: ${reason}`, {
      data: { path, reason },
      cause,
    });
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw invalid("it cannot be opened", cause);
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw invalid("it is no file");
    const { size } = facts;
    const header = new Uint8Array(HEADER_BYTES);
    if (size < HEADER_BYTES || !(await readWhole(file, header, 0))) throw invalid("it has no whole header");
    const view = new DataView(header.buffer);
    if (MAGIC.some((byte, i) => byte !== header[i])) throw invalid("it does not begin with OLSPANS");
    const version = view.getUint32(8, true);
    if (version !== FORMAT_VERSION) throw invalid(`it is of version ${version}, not ${FORMAT_VERSION}`);
    const rowText = ROW_TEXTS[view.getUint32(12, true)];
    if (rowText === undefined) throw invalid("its rows are of an unknown kind");
    const textBytes = view.getUint32(16, true);
    const documentCount = view.getUint32(20, true);
    // A document has a letter and its separator.
    if (textBytes > MAX_TEXT_BYTES || documentCount === 0 || 2 * documentCount > textBytes)
      throw invalid("its sizes are out of their ranges");
    const sizes = [documentCount * DOCUMENT_BYTES, textBytes * ENTRY_BYTES, textBytes];
    const bodyBytes = sizes.reduce((sum, part) => sum + part, 0);
    if (BigInt(size) !== view.getBigUint64(24, true) || size !== HEADER_BYTES + bodyBytes)
      throw invalid(`it has ${size} bytes where ${HEADER_BYTES + bodyBytes} belong`);
    const body = new Uint8Array(bodyBytes);
    if (!(await readWhole(file, body, HEADER_BYTES))) throw invalid("it ends early");
    const digest = header.slice(DIGEST_AT);
    header.fill(0, DIGEST_AT);
    const hash = createHash("sha256").update(header).update(body);
    if (!hash.digest().equals(digest)) throw invalid("its bytes are not those of its SHA-256");

    let from = 0;
    const [documents, arrayPart, text] = sizes.map((length) => {
      from += length;
      return body.subarray(from - length, from);
    }) as [Uint8Array, Uint8Array, Uint8Array];
    const array = new Int32Array(body.buffer, arrayPart.byteOffset, textBytes);
    for (let i = 0; i < textBytes; i++) {
      if (array[i]! >>> 0 >= textBytes) throw invalid(`entry ${i} of its array is no place in its text`);
    }
    checkDocuments(documents, text, invalid);
    const rowsRoot = bytesToHex(header.subarray(32, DIGEST_AT));
    return new SpanIndex({ rowText, rowsRoot, text, array, documents });
  } finally {
    await file.close();
  }
}

/** One after the other, each ended by its separator, from the text's first byte to its last. */
function checkDocuments(documents: Uint8Array, text: Uint8Array, invalid: (reason: string) => Error): void {
  let start = 0;
  for (let i = 0; i * DOCUMENT_BYTES < documents.length; i++) {
    const { end, start: from } = readDocument(documents, i);
    if (from !== start || end <= start || text[end] !== SEPARATOR)
      throw invalid(`document ${i} is not where it belongs`);
    start = end + 1;
  }
  if (start !== text.length) throw invalid("its documents are not all of its text");
}

/** @returns false if the file ends before */
async function readWhole(file: FileHandle, into: Uint8Array, from: number): Promise<boolean> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(PART_BYTES, into.length - at), from + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}
