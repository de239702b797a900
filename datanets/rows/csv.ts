/** Strict reader of CSV files (RFC 4180): rows that people contribute to a Datanet (read-rows.ts) or upload to the factory. */
import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { datanetError } from "../datanet-errors.ts";

export interface CsvTable {
  readonly names: readonly string[];
  readonly rows: readonly { readonly line: number; readonly fields: readonly string[] }[];
}

/**
 * RFC 4180, strictly: commas, fields in double quotes where they hold commas, quotes or line ends, a quote within doubled,
 * every line as many fields as the first, which names the columns. A byte-order mark at the beginning and blank lines at the
 * end are passed over. @throws DNT_FILE_UNREADABLE naming the line, also for two columns of one name
 */
export function readCsv(text: string): CsvTable {
  const [first, ...rows] = parseCsv(text.replace(BLANK_END, "$1"));
  const names = first?.fields ?? [];
  const twice = names.find((name, i) => name.trim() !== "" && isBefore(names, name, i));
  if (twice !== undefined) throw unreadable(1, `two columns are named "${twice}": rename one`);
  return { names, rows };
}

const isBefore = (names: readonly string[], name: string, i: number) =>
  names.findIndex((other) => other.trim() === name.trim()) < i;
/** Line ends at the end of the text beyond the last row's own. */
const BLANK_END = /(\r?\n)[\r\n]+$/;

function parseCsv(text: string) {
  try {
    const read = parse(text, {
      bom: true,
      info: true,
      // Else the first line end decides, and a later one of the other kind becomes part of a field.
      record_delimiter: ["\r\n", "\n"],
      cast: (field, { lines, quoting }) => {
        if (!quoting && field.includes("\r")) throw unreadable(lines, "a line ends without a line feed");
        return field;
      },
    }) as unknown as readonly { readonly info: { readonly lines: number }; readonly record: string[] }[];
    // The library counts lines up to a row's end.
    return read.map(({ record }, i) => ({ fields: record, line: 1 + (read[i - 1]?.info.lines ?? 0) }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const { lines = 0, record = [] } = cause as {
      readonly lines?: number;
      readonly record?: readonly string[];
    };
    const why =
      cause.code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH"
        ? `${record.length} fields, and the first line has another number`
        : (REASONS[cause.code] ?? cause.message);
    throw unreadable(lines, why, cause);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: "a closing quote is followed by other characters",
  CSV_QUOTE_NOT_CLOSED: "a quoted field does not end",
  INVALID_OPENING_QUOTE: "a field without quotes contains a quote",
};

const unreadable = (line: number, why: string, cause?: unknown) =>
  datanetError("DNT_FILE_UNREADABLE", `line ${line}: ${why}`, { data: { line, why }, cause });
