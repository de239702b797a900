/** Makes pictures of files fit what a card and models take, before rows are made of them and signed. */
import type { FileRecord, FileTable } from "@openledger/datanets/import/file-table";
import { MAX_SHRUNK_SIDE, shrinkPicture } from "../../rows/shrink-picture.ts";
import { showCount } from "../../words/format.ts";

/** The table with pictures that fit, and notices of those that were changed. @param maxBytes of a row, by the card */
export async function fitPictures(table: FileTable, maxBytes: number): Promise<FileTable> {
  const changed = { scaled: [] as FileRecord[], converted: [] as FileRecord[] };
  const records: FileRecord[] = [];
  for (const record of table.records) {
    const values = new Map(record.values);
    for (const [column, cell] of values) {
      if (!(cell instanceof Uint8Array)) continue;
      const { change, content } = await shrinkPicture(cell, maxBytes);
      if (change === null) continue;
      values.set(column, content);
      changed[change].push(record);
    }
    records.push({ ...record, values });
  }
  const made = [
    ...noticeOf(
      changed.scaled,
      `too large, and scaled to at most ${showCount(MAX_SHRUNK_SIDE)} pixels a side: what you sign is the smaller picture`,
    ),
    ...noticeOf(
      changed.converted,
      "saved anew as JPEG at full size, since models do not read such a file: what you sign is the new one",
    ),
  ];
  return { ...table, records, notices: [...table.notices, ...made] };
}

/** Says what was done to pictures; nothing for none. */
function noticeOf(records: readonly FileRecord[], what: string): string[] {
  const [first] = records;
  if (first === undefined) return [];
  const which =
    records.length === 1
      ? `${first.file} is`
      : `${showCount(records.length)} pictures, the first ${first.file}, are`;
  return [`${which} ${what}`];
}
