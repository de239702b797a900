/** Names of a version's pictures as files. Archives and Parquet have them; the client library makes Parquet without archives. */
import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { rowNumber } from "@openledger/foundation/row-number";
import type { ExportedRow } from "./exported-rows.ts";

const ENDINGS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
};

/** Names by row number, all of one length, so that a folder's order is the version's. */
export function pictureNames(rows: readonly Pick<ExportedRow, "content">[]): string[] {
  const digits = String(rows.length).length;
  return rows.map(({ content }, i) => {
    const ending = ENDINGS[pictureTypeOf(contentOfRow(content)) ?? ""] ?? "bin";
    return `row-${String(rowNumber(i)).padStart(digits, "0")}.${ending}`;
  });
}
