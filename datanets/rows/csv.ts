import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { datanetError } from "../datanet-errors.ts";

/**
 * RFC 4180, strictly: commas, fields in double quotes where they hold commas, quotes or line ends, a quote within doubled,
 * every line as many fields as the first. A byte-order mark at the beginning is passed over.
 * @throws DNT_FILE_UNREADABLE naming the line
 */
export function parseCsv(text: string): string[][] {
  try {
    return parse(text, {
      bom: true,
      // Else the first line end decides, and a later one of the other kind becomes part of a field.
      record_delimiter: ["\r\n", "\n"],
      cast: (field, { lines, quoting }) => {
        if (!quoting && field.includes("\r")) throw unreadable(lines, "a line ends without a line feed");
        return field;
      },
    });
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
