/** Reads a file that a visitor uploads to the factory as rows of text: plain text, lines of JSON, or CSV. */
import { decodeTextRow, encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { datanetError } from "@openledger/datanets/datanet-errors";
import { readCsv } from "@openledger/datanets/rows/csv";
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { lineWithoutFeed, textOfFile } from "@openledger/foundation/utf8";

/** Limits of an upload from a page; the factory has its own. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
const MAX_ROWS = 100_000;

/**
 * Reads rows by the file's ending: `.jsonl` and `.ndjson` have a row a line, `.csv` names its columns in the first
 * line. In `.txt` and `.md` an empty line ends a row. A row has a `text`, or a `prompt` and an `answer`.
 *
 * @throws RollupError DNT_FILE_UNREADABLE naming file and line, SRV_TOO_LARGE
 */
export function rowsOfFile(name: string, content: Uint8Array): TextRow[] {
  if (content.length > MAX_FILE_BYTES) throw tooLarge(`${content.length} bytes`, `${MAX_FILE_BYTES} bytes`);
  const rows = readRows(name, content);
  if (rows.length === 0) throw unreadable(name, 0, "it has no rows");
  if (rows.length > MAX_ROWS) throw tooLarge(`${rows.length} rows`, `${MAX_ROWS} rows`);
  return rows;
}

function readRows(name: string, content: Uint8Array): TextRow[] {
  const ending = /\.([^.]+)$/.exec(name.toLowerCase())?.[1] ?? "";
  if (!["jsonl", "ndjson", "csv", "txt", "text", "md"].includes(ending))
    throw unreadable(
      name,
      0,
      "which format is it? Text (.txt, .md), JSON lines (.jsonl) and CSV are read: convert it",
    );
  const text = textOf(name, content);
  if (ending === "csv") {
    const { names, rows } = atLine(name, 1, () => readCsv(text));
    return rows.map(({ fields, line }) =>
      rowOf(name, line, () => Object.fromEntries(names.map((column, j) => [column.trim(), fields[j]]))),
    );
  }
  if (ending === "jsonl" || ending === "ndjson")
    return text
      .split(/\r?\n/)
      .flatMap((json, i) => (json.trim() === "" ? [] : [rowOf(name, i + 1, () => parseStrictJson(json))]));
  const unfinished = lineWithoutFeed(text);
  if (unfinished !== null) throw unreadable(name, unfinished, "a line ends without a line feed");
  return text
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .flatMap((part, i) => (part.trim() === "" ? [] : [rowOf(name, i + 1, () => ({ text: part.trim() }))]));
}

function rowOf(name: string, line: number, read: () => unknown): TextRow {
  return atLine(name, line, () => {
    const value = read();
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw unreadable(name, line, "it is no object");
    // Written and read once more, so that what passes is what the ledger's rows of text may be.
    return decodeTextRow(encodeTextRow(value as TextRow));
  });
}

function atLine<Result>(name: string, line: number, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const { data, message } = cause as Error & { data?: { file?: string; line?: number; why?: string } };
    if (data?.file !== undefined) throw cause;
    const why =
      data?.why ?? (cause instanceof SyntaxError && !message.includes("twice") ? "it is no JSON" : message);
    throw unreadable(name, data?.line ?? line, why, cause);
  }
}

function textOf(name: string, content: Uint8Array): string {
  try {
    return textOfFile(content);
  } catch (cause) {
    throw unreadable(name, 0, "it is no UTF-8", cause);
  }
}

const unreadable = (file: string, line: number, why: string, cause?: unknown) =>
  datanetError(
    "DNT_FILE_UNREADABLE",
    line === 0 ? `${file}: ${why}` : `${file}: row or line ${line}: ${why}`,
    {
      data: { file, line, why },
      cause,
    },
  );

const tooLarge = (found: string, max: string) =>
  datanetError("SRV_TOO_LARGE", `the file has ${found}, the limit is ${max}`, { data: { found, max } });
