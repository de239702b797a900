/** Reads a file that a visitor uploads to the factory as rows of text, as a Datanet's passages are read. */
import { MAX_ROW_BYTES } from "@openledger/attribution/rows/row-content";
import { decodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { datanetError } from "@openledger/datanets/datanet-errors";
import { formatOf } from "@openledger/datanets/import/import-file";
import { readImport } from "@openledger/datanets/import/read-import";
import { requireNone } from "@openledger/datanets/import/refusal";

/** Limits of an upload from a page; the factory has its own. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
const MAX_ROWS = 100_000;
const PASSAGES = { row: { kind: "passage" as const, fields: [], maxBytes: MAX_ROW_BYTES }, labels: [] };

/**
 * Reads rows by the file's ending. In `.txt` and `.md` an empty line ends a row; tables and lines of JSON have a `text`,
 * or a `prompt` and an `answer`.
 *
 * @throws RollupError DNT_FILE_UNREADABLE naming file and line, SRV_TOO_LARGE
 */
export async function rowsOfFile(name: string, content: Uint8Array): Promise<TextRow[]> {
  if (content.length > MAX_FILE_BYTES) throw tooLarge(`${content.length} bytes`, `${MAX_FILE_BYTES} bytes`);
  const found = formatOf(name);
  const format = found === "whole" ? "paragraphs" : found;
  const file = { name, content, ...(format === null ? {} : { format }) };
  const { refused, rows } = await readImport(PASSAGES, [file]);
  requireNone(refused);
  if (rows.length > MAX_ROWS) throw tooLarge(`${rows.length} rows`, `${MAX_ROWS} rows`);
  return rows.map(decodeTextRow);
}

const tooLarge = (found: string, max: string) =>
  datanetError("SRV_TOO_LARGE", `the file has ${found}, the limit is ${max}`, { data: { found, max } });
