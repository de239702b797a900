/** Unpacks a zip file as the files in it, within limits: sizes are known before anything is unpacked, and checked as it is. */
import type { Entry, FileEntry } from "@zip.js/zip.js";
import { formatOf, type ImportBudget, type ImportFile, isSystemFile } from "./import-file.ts";
import { type Refusal, refusalOf, unreadable } from "./refusal.ts";

/** Hidden entries, which nobody put into the archive by choice. */
const HIDDEN_ENTRY = /(^|\/)\./;

export interface UnpackSettings {
  /** True for a document that is an archive of parts: those with hidden names are of it, too. */
  readonly isDocument?: boolean;
}

export interface Unpacked {
  readonly files: readonly ImportFile[];
  readonly refused: readonly Refusal[];
}

/**
 * Returns the archive's files, named "archive.zip/folder/file". An entry that is damaged, encrypted, or named in no UTF-8 is
 * refused by itself.
 * @throws DNT_FILE_UNREADABLE for what is no zip file, or over a limit
 */
export async function unpackZip(
  { content, name }: ImportFile,
  budget: ImportBudget,
  { isDocument = false }: UnpackSettings = {},
): Promise<Unpacked> {
  const { configure, Uint8ArrayReader, ZipReader } = await import("@zip.js/zip.js");
  // A page's policy forbids the workers that the library would make of a text.
  configure({ useWebWorkers: false });
  const reader = new ZipReader(new Uint8ArrayReader(content), { checkSignature: true });
  try {
    const entries = await reader.getEntries().catch((cause: Error) => {
      throw unreadable({ file: name, line: 0 }, `it cannot be read as a zip file: ${cause.message}`, cause);
    });
    budget.takeRecords(name, entries.length);
    // All that is declared is counted before the first entry is unpacked.
    for (const { uncompressedSize } of entries) budget.takeBytes(name, uncompressedSize);
    return await unpackEntries(entries, name, isDocument);
  } finally {
    await reader.close();
  }
}

async function unpackEntries(
  entries: readonly Entry[],
  name: string,
  isDocument: boolean,
): Promise<Unpacked> {
  const files: ImportFile[] = [];
  const refused: Refusal[] = [];
  for (const entry of entries) {
    const position = { file: `${name}/${entry.filename}`, line: 0 };
    try {
      const file = `${name}/${nameOf(entry, position.file)}`;
      const isHidden = isSystemFile(entry.filename) || HIDDEN_ENTRY.test(entry.filename);
      if (entry.directory || (!isDocument && isHidden)) continue;
      if (entry.encrypted) throw unreadable({ file, line: 0 }, "it is encrypted");
      if (formatOf(file) === "zip") throw unreadable({ file, line: 0 }, "a zip file in another is not read");
      files.push({ name: file, content: await unpackEntry(entry, file) });
    } catch (error) {
      refused.push(refusalOf(error, position));
    }
  }
  return { files, refused };
}

/** Many tools write names in UTF-8 without the mark that says so, and a library then reads them otherwise. */
function nameOf({ filename, filenameUTF8, rawFilename }: Entry, file: string): string {
  if (filenameUTF8) return filename;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(rawFilename);
  } catch (cause) {
    throw unreadable({ file, line: 0 }, "its name is no UTF-8", cause);
  }
}

async function unpackEntry(entry: FileEntry, file: string): Promise<Uint8Array> {
  const content = new Uint8Array(entry.uncompressedSize);
  let length = 0;
  const writable = new WritableStream<Uint8Array>({
    write(part) {
      if (length + part.length > content.length) throw new Error("it is longer than the archive says");
      content.set(part, length);
      length += part.length;
    },
  });
  try {
    await entry.getData(writable);
  } catch (cause) {
    throw unreadable({ file, line: 0 }, `it is damaged: ${(cause as Error).message}`, cause);
  }
  if (length === content.length) return content;
  throw unreadable({ file, line: 0 }, "it is shorter than the archive says");
}
