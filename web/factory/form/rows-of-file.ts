/** A file of the reader as rows of text: plain text, lines of JSON, or CSV. */
import { decodeTextRow, encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { datanetError } from "@openledger/datanets/datanet-errors";
import { parseCsv } from "@openledger/datanets/rows/csv";

const MAX_FILE_BYTES = 64 * 2 ** 20;
const MAX_ROWS = 100_000;

/**
 * By the file's ending: `.jsonl` and `.ndjson` have a row a line, `.csv` names its columns in the first line. In all others
 * an empty line ends a row. A row has a `text`, or a `prompt` and an `answer`.
 *
 * @throws RollupError DNT_FILE_UNREADABLE naming the line, SRV_TOO_LARGE, ATT_ROW_INVALID
 */
export function rowsOfFile(name: string, content: Uint8Array): TextRow[] {
  if (content.length > MAX_FILE_BYTES) throw tooLarge(`${content.length} bytes`, `${MAX_FILE_BYTES} bytes`);
  const rows = readRows(name.toLowerCase(), textOf(content));
  if (rows.length === 0) throw unreadable(0, "it has no rows");
  if (rows.length > MAX_ROWS) throw tooLarge(`${rows.length} rows`, `${MAX_ROWS} rows`);
  return rows;
}

function readRows(name: string, text: string): TextRow[] {
  if (/\.(jsonl|ndjson)$/.test(name))
    return text
      .split(/\r?\n/)
      .flatMap((line, i) => (line.trim() === "" ? [] : [rowOf(i + 1, () => JSON.parse(line) as object)]));
  if (name.endsWith(".csv")) {
    const [names = [], ...lines] = parseCsv(text);
    return lines.map((fields, i) =>
      rowOf(i + 2, () => Object.fromEntries(names.map((column, j) => [column.trim(), fields[j]]))),
    );
  }
  return text
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .flatMap((part, i) => (part.trim() === "" ? [] : [rowOf(i + 1, () => ({ text: part.trim() }))]));
}

function rowOf(line: number, read: () => unknown): TextRow {
  try {
    // Written and read once more, so that what passes is what the ledger's rows of text may be.
    return decodeTextRow(encodeTextRow(read() as TextRow));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? "it is no JSON" : (cause as Error).message;
    throw unreadable(line, why, cause);
  }
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (cause) {
    throw unreadable(0, "it is no UTF-8", cause);
  }
}

const unreadable = (line: number, why: string, cause?: unknown) =>
  datanetError("DNT_FILE_UNREADABLE", line === 0 ? why : `row or line ${line}: ${why}`, {
    data: { line, why },
    cause,
  });

const tooLarge = (found: string, max: string) =>
  datanetError("SRV_TOO_LARGE", `the file has ${found}, the limit is ${max}`, { data: { found, max } });
