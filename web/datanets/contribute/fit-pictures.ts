/** Scales the pictures of files down that are larger than a card takes, before rows are made of them and signed. */
import type { FileRecord, FileTable } from "@openledger/datanets/import/file-table";
import { MAX_SHRUNK_SIDE, shrinkPicture } from "../../rows/shrink-picture.ts";
import { showCount } from "../../words/format.ts";

/** The table with pictures that fit, and a notice of those that were scaled. @param maxBytes of a row, by the card */
export async function fitPictures(table: FileTable, maxBytes: number): Promise<FileTable> {
  const shrunk: FileRecord[] = [];
  const records: FileRecord[] = [];
  for (const record of table.records) {
    const values = new Map(record.values);
    for (const [column, cell] of values) {
      if (!(cell instanceof Uint8Array)) continue;
      const { content, isShrunk } = await shrinkPicture(cell, maxBytes);
      if (!isShrunk) continue;
      values.set(column, content);
      shrunk.push(record);
    }
    records.push({ ...record, values });
  }
  const [first] = shrunk;
  if (first === undefined) return table;
  const which =
    shrunk.length === 1
      ? `${first.file} is`
      : `${showCount(shrunk.length)} pictures, the first ${first.file}, are`;
  const notice = `${which} too large, and scaled to at most ${showCount(MAX_SHRUNK_SIDE)} pixels a side: what you sign is the smaller picture`;
  return { ...table, records, notices: [...table.notices, notice] };
}
