/** Strict reader of CSV and TSV files (RFC 4180). The separator is counted, never taken from a first guess. */
import { type CastingContext, CsvError, parse } from "csv-parse/browser/esm/sync";
import type { ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { type Refusal, unreadable } from "./refusal.ts";

export const SEPARATORS = [",", ";", "\t", "|"] as const;
export type Separator = (typeof SEPARATORS)[number];

export interface CsvSettings {
  /** Separator; absent: the one by which the lines have as many fields as the first. */
  readonly separator?: Separator;
}

/** Rows that a separator is tried on. */
const TRIED_RECORDS = 200;
const SAMPLE_CHARACTERS = 200_000;
/** Line that spreadsheets write before the names. */
const SEPARATOR_LINE = /^sep=([,;|\t])\r?\n/;
/** Line ends at the end of the text beyond the last row's own. */
const BLANK_END = /(\r?\n)[\r\n]+$/;

/**
 * Follows RFC 4180, strictly: fields in double quotes where they hold separators, quotes or line ends, a quote within
 * doubled, every line as many fields as the first, which names the columns. A field without anything is missing; one of
 * two quotes is an empty text. Blank lines at the end are passed over. A line with another number of fields is refused
 * by itself, as its neighbours can be read all the same.
 *
 * @throws DNT_FILE_UNREADABLE naming the line, also for two columns of one name
 */
export function readCsv(text: string, file: string, settings: CsvSettings, budget: ImportBudget): ReadFile {
  const marked = SEPARATOR_LINE.exec(text);
  const linesBefore = marked === null ? 0 : 1;
  const body = (marked === null ? text : text.slice(marked[0].length)).replace(BLANK_END, "$1");
  const { separator = (marked?.[1] as Separator | undefined) ?? findSeparator(body, file) } = settings;
  const [head, ...rows] = parseRecords(body, { file, linesBefore, separator });
  if (head === undefined) return { columns: [], records: [], refused: [], notices: [] };
  const columns = namesOf(head.fields, file, head.line);
  budget.requireColumns(file, columns.length);
  budget.takeRecords(file, rows.length);
  const refused: Refusal[] = [];
  const records = rows.flatMap(({ fields, line }) => {
    if (fields.length === columns.length)
      return [{ file, line, values: new Map(columns.map((name, i) => [name, fields[i]!])) }];
    const why = `${fields.length} fields, and the first line has ${columns.length}`;
    refused.push({ file, line, unit: "line", field: null, why });
    return [];
  });
  const notices = columns.length === 1 ? [] : [`${file}: separated by ${NAMES[separator ?? ","]}`];
  return { columns, records, refused, notices };
}

const NAMES: Readonly<Record<Separator, string>> = {
  ",": "commas",
  ";": "semicolons",
  "\t": "tabs",
  "|": "vertical bars",
};

/** Trimmed names; a column without one is called by its number, as spreadsheets have an unnamed first one. */
function namesOf(fields: readonly (string | null)[], file: string, line: number): string[] {
  const names = fields.map((field, i) => (field ?? "").trim() || `column ${i + 1}`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw unreadable({ file, line, field: twice }, `two columns are named "${twice}": rename one`);
  return names;
}

/**
 * Returns the separator that stands in the line of names and divides the lines after it alike; null for one column.
 * A wrong one seldom does. Of several that do, the one with the most columns is taken, and the caller shows it.
 * @throws DNT_FILE_UNREADABLE if two of them are as good
 */
function findSeparator(text: string, file: string): Separator | null {
  const sample = sampleOf(text);
  const tried = SEPARATORS.flatMap((separator) => {
    const counts = fieldCounts(sample, separator) ?? (sample === text ? null : fieldCounts(text, separator));
    const [columnCount] = counts ?? [];
    if (columnCount === undefined || columnCount === 1) return [];
    const shareOf = (count: number) => counts!.filter((other) => other === count).length / counts!.length;
    return [{ separator, columnCount, alike: shareOf(columnCount), undivided: shareOf(1) }];
  });
  const [best, next] = tried.sort((a, b) => b.alike - a.alike || b.columnCount - a.columnCount);
  // Where most lines have none, the first is a name with a comma.
  if (best === undefined || best.undivided > 1 / 2) return null;
  if (best.alike <= 1 / 2)
    throw unreadable({ file, line: 1 }, "no separator divides its lines as the first: say which it is");
  if (next?.alike === best.alike && next.columnCount === best.columnCount)
    throw unreadable(
      { file, line: 1 },
      `its fields may be separated by ${NAMES[best.separator]} or by ${NAMES[next.separator]}: say which`,
    );
  return best.separator;
}

/** Beginning of a text, up to the end of a line: the library's limit of rows does not end its work. */
const sampleOf = (text: string) =>
  text.length <= SAMPLE_CHARACTERS
    ? text
    : text.slice(0, text.lastIndexOf("\n", SAMPLE_CHARACTERS) + 1) || text;

/** Fields of the first rows; null if the text is none with this separator. */
function fieldCounts(text: string, separator: Separator): number[] | null {
  try {
    const records = parse(text, {
      ...OPTIONS,
      delimiter: separator,
      to: TRIED_RECORDS,
    }) as unknown as readonly (readonly string[])[];
    return records.map(({ length }) => length);
  } catch (cause) {
    if (cause instanceof CsvError) return null;
    throw cause;
  }
}

const OPTIONS = {
  bom: true,
  relax_column_count: true,
  // Else the first line end decides, and a later one of the other kind becomes part of a field.
  record_delimiter: ["\r\n", "\n"],
};
/** Separator of a file with one column: a character that text does not have. */
const NO_SEPARATOR = "\u001f";

interface Parsing {
  readonly file: string;
  readonly linesBefore: number;
  readonly separator: Separator | null;
}

interface CsvRecord {
  readonly line: number;
  readonly fields: readonly (string | null)[];
}

function parseRecords(text: string, { file, linesBefore, separator }: Parsing): CsvRecord[] {
  const options = { ...OPTIONS, delimiter: separator ?? NO_SEPARATOR };
  const refuse = (line: number, why: string, cause?: unknown) =>
    unreadable({ file, line: line + linesBefore }, why, cause);
  let line = 1;
  try {
    const read = parse(text, { ...options, raw: true }) as unknown as readonly RawRecord[];
    return read.map(({ raw, record }) => {
      const first = line;
      for (const field of record) line += field.split("\n").length - 1;
      line++;
      const isPlain = record.every((field) => field !== "" && !field.includes("\r"));
      // Of a line end of two characters the library's text has the first alone.
      const own = record.at(-1)!.endsWith("\r") ? raw : raw.replace(/\r?\n$|\r$/, "");
      const fields = isPlain ? record : withQuotes(own, options, (why) => refuse(first, why));
      return { fields, line: first + linesBefore };
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const { lines = 0 } = cause as { readonly lines?: number };
    throw refuse(lines, REASONS[cause.code] ?? cause.message, cause);
  }
}

interface RawRecord {
  /** The row as it is in the file, with its line end or the beginning of it. */
  readonly raw: string;
  readonly record: readonly string[];
}

/**
 * Fields of a row in which quotes matter: an empty field without them is missing, and a carriage return outside them ends
 * a line for others. The library says it at ten times the cost, so only these rows are asked.
 */
function withQuotes(
  raw: string,
  options: typeof OPTIONS & { readonly delimiter: string },
  refuse: (why: string) => Error,
): readonly (string | null)[] {
  const [fields] = parse(raw, {
    ...options,
    cast: (field: string, { quoting }: CastingContext) => {
      if (!quoting && field.includes("\r")) throw refuse("a line ends without a line feed");
      return field === "" && !quoting ? null : field;
    },
  }) as unknown as readonly (readonly (string | null)[])[];
  // A line without anything is one field for the library, and no row when it stands alone.
  return fields ?? [null];
}

const REASONS: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: "a closing quote is followed by other characters",
  CSV_QUOTE_NOT_CLOSED: "a quoted field does not end",
  INVALID_OPENING_QUOTE: "a field without quotes contains a quote",
};
