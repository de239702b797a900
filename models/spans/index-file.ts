/**
 * An index on disk. All numbers little-endian:
 *
 *   0    8  "OLSPANS" and a byte 0
 *   8    4  version of the format, 1
 *   12   4  place of the row's text rule in ROW_TEXTS
 *   16   4  bytes of text, n
 *   20   4  documents, d
 *   24   8  bytes of the file
 *   32  32  root of the Datanet's version
 *   64  32  root of the index
 *   96  32  SHA-256 of the file with zeros in this place
 *   128     documents (48 d), array (4 n), text (n), then the nodes of their trees: text, array, documents
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { modelError } from "../model-errors.ts";
import { DOCUMENT_BYTES, ENTRY_BYTES, LEAF_BYTES, ROW_TEXTS, SEPARATOR } from "./evidence.ts";
import { MerkleTree, nodeBytes } from "./merkle-tree.ts";
import { bytesOfArray, bytesReader, MAX_TEXT_BYTES, SpanIndex } from "./span-index.ts";

const MAGIC = new TextEncoder().encode("OLSPANS\0");
const FORMAT_VERSION = 1;
const HEADER_BYTES = 128;
const DIGEST_AT = 96;
/** What one call reads, so that a long read does not fail as a whole. */
const PART_BYTES = 1 << 26;

/** Written to a part file and renamed: a kill leaves the old file or the new one. */
export async function writeIndexFile(path: string, index: SpanIndex): Promise<{ fileBytes: number }> {
  const { array, documents, rowText, rowsRoot, text, trees } = index.parts;
  const body = [
    documents,
    bytesOfArray(array),
    text,
    trees.text.nodes,
    trees.array.nodes,
    trees.documents.nodes,
  ];
  const fileBytes = body.reduce((sum, { length }) => sum + length, HEADER_BYTES);
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, ROW_TEXTS.indexOf(rowText), true);
  view.setUint32(16, text.length, true);
  view.setUint32(20, index.header.documentCount, true);
  view.setBigUint64(24, BigInt(fileBytes), true);
  header.set(hexToBytes(rowsRoot), 32);
  header.set(hexToBytes(index.root), 64);
  const hash = createHash("sha256").update(header);
  for (const part of body) hash.update(part);
  header.set(hash.digest(), DIGEST_AT);
  const partPath = `${path}.part`;
  const file = await open(partPath, "w");
  try {
    for (const part of [header, ...body]) await writeWhole(file, part);
    await file.sync();
  } catch (error) {
    await rm(partPath, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(partPath, path);
  return { fileBytes };
}

/**
 * Reads an index. Nothing is allocated before the file's size agrees with its header, and nothing is read out of its
 * bounds later: every number in it is checked here. That its nodes belong to its text is not: openings of a false file
 * do not lead to the root, which every client sees.
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
    const { size } = await file.stat();
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
    const documentBytes = documentCount * DOCUMENT_BYTES;
    const arrayBytes = textBytes * ENTRY_BYTES;
    const sizes = [
      documentBytes,
      arrayBytes,
      textBytes,
      nodeBytes(textBytes, LEAF_BYTES),
      nodeBytes(arrayBytes, LEAF_BYTES),
      nodeBytes(documentBytes, DOCUMENT_BYTES),
    ];
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
    const [documents, arrayPart, text, ...nodes] = sizes.map((length) => {
      from += length;
      return body.subarray(from - length, from);
    }) as [Uint8Array, Uint8Array, Uint8Array, ...Uint8Array[]];
    const array = new Int32Array(body.buffer, arrayPart.byteOffset, textBytes);
    for (let i = 0; i < textBytes; i++) {
      if (array[i]! >>> 0 >= textBytes) throw invalid(`entry ${i} of its array is no place in its text`);
    }
    checkDocuments(documents, text, invalid);
    const index = new SpanIndex({
      rowText,
      rowsRoot: bytesToHex(header.subarray(32, 64)),
      text,
      array,
      documents,
      trees: {
        text: MerkleTree.ofNodes(text, LEAF_BYTES, nodes[0]!),
        array: MerkleTree.ofNodes(arrayPart, LEAF_BYTES, nodes[1]!),
        documents: MerkleTree.ofNodes(documents, DOCUMENT_BYTES, nodes[2]!),
      },
    });
    if (index.root !== bytesToHex(header.subarray(64, 96)))
      throw invalid("its root is not that of its trees");
    return index;
  } finally {
    await file.close();
  }
}

/** One after the other, each ended by its separator, from the text's first byte to its last. */
function checkDocuments(documents: Uint8Array, text: Uint8Array, invalid: (reason: string) => Error): void {
  const reader = bytesReader(documents);
  let start = 0;
  for (let at = 0; at < documents.length; at += DOCUMENT_BYTES) {
    const end = reader.number(at + 4);
    if (reader.number(at) !== start || end <= start || text[end] !== SEPARATOR)
      throw invalid(`document ${at / DOCUMENT_BYTES} is not where it belongs`);
    start = end + 1;
  }
  if (start !== text.length) throw invalid("its documents are not all of its text");
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(PART_BYTES, bytes.length - at));
    at += bytesWritten;
  }
}

/** @returns false where the file ends before */
async function readWhole(file: FileHandle, into: Uint8Array, from: number): Promise<boolean> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(PART_BYTES, into.length - at), from + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}
