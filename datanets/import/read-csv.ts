/** Strict reader of CSV and TSV files (RFC 4180). The separator is counted, never taken from a first guess. */
import { type CastingContext, CsvError, parse } from "csv-parse/browser/esm/sync";
import { dateColumn } from "./date-forms.ts";
import type { Decisions } from "./decision.ts";
import type { ReadFile } from "./file-table.ts";
import { readHead } from "./head-lines.ts";
import type { ImportBudget } from "./import-file.ts";
import { numberColumn } from "./number-marks.ts";
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

/** Blank lines before everything else. */
const BLANK_BEGINNING = /^(?:[ \t]*\r?\n)+/;
/** Line that programs write above a table, which is no part of it. */
const COMMENT_LINE = /^[ \t]*#.*(?:\r?\n|$)/;
/** Maximum lines above the names. */
const MAX_TITLE_LINES = 8;

/** Budget, decisions and labels that all CSV files of one import share. */
interface CsvContext {
  readonly budget: ImportBudget;
  readonly decisions: Decisions;
  /** Labels of the card that the rows are read for. */
  readonly labels: ReadonlySet<string>;
}

/**
 * Follows RFC 4180, strictly: fields in double quotes where they hold separators, quotes or line ends, a quote within
 * doubled, every line as many fields as the first, which names the columns unless it seems to be a record, a title or a comment. A
 * field without anything is missing; one of two quotes is an empty text. Blank lines at both ends are passed over. A line with another
 * number of fields is refused by itself, as its neighbours can be read all the same.
 *
 * @throws DNT_FILE_UNREADABLE naming the line, also for two columns of one name
 */
export function readCsv(text: string, file: string, settings: CsvSettings, context: CsvContext): ReadFile {
  const { budget, decisions, labels } = context;
  const marked = SEPARATOR_LINE.exec(text);
  const chosen = settings.separator ?? (marked?.[1] as Separator | undefined);
  const unmarked = (marked === null ? text : text.slice(marked[0].length)).replace(BLANK_END, "$1");
  const uncommented = withoutComments(unmarked, file, chosen, decisions);
  const table = withoutTitle(uncommented, file, chosen, decisions);
  const hasTitle = table !== uncommented;
  const before = unmarked.length - table.length;
  const linesBefore = (marked === null ? 0 : 1) + unmarked.slice(0, before).split("\n").length - 1;
  const separator = chosen ?? findSeparator(table, file);
  const lines = withRowNames(parseRecords(table, { file, linesBefore, separator }));
  const [first, ...others] = lines;
  if (first === undefined) return { columns: [], records: [], refused: [], notices: [] };
  const head = hasTitle ? { names: first, records: others } : readHead(lines, file, decisions, labels);
  const columns = namesOf(
    head.names?.fields ?? first.fields.map(() => null),
    file,
    head.names?.line ?? first.line,
  );
  budget.requireColumns(file, columns.length);
  budget.takeRecords(file, head.records.length);
  const refused: Refusal[] = [];
  const records = head.records.flatMap(({ fields, line }) => {
    if (fields.length === columns.length)
      return [{ file, line, values: new Map(columns.map((name, i) => [name, fields[i]!])) }];
    const why = `${fields.length} fields, and the first line has ${columns.length}`;
    refused.push({ file, line, unit: "line", field: null, why });
    return [];
  });
  const notices = columns.length === 1 ? [] : [`${file}: separated by ${NAMES[separator ?? ","]}`];
  return { columns, records, refused, notices, separator: separator ?? "\t" };
}

/** Leaves out the comments above a table: lines that begin with # and are not divided as the others are. */
function withoutComments(
  text: string,
  file: string,
  chosen: Separator | undefined,
  decisions: Decisions,
): string {
  let rest = text.replace(BLANK_BEGINNING, "");
  const comments: string[] = [];
  for (let comment = COMMENT_LINE.exec(rest); comment !== null; comment = COMMENT_LINE.exec(rest)) {
    comments.push(comment[0]);
    rest = rest.slice(comment[0].length).replace(BLANK_BEGINNING, "");
  }
  if (comments.length === 0 || rest === "") return text.replace(BLANK_BEGINNING, "");
  const separator = chosen ?? separatorOrNull(rest, file);
  const countOf = (line: string) => (separator === null ? 1 : (fieldCounts(line, separator)?.[0] ?? 1));
  const columnCount = countOf(rest.slice(0, rest.search(/\r?\n|$/)));
  // Of a file of one column, and where a name begins with #, the line may be a part of the table.
  const isNames = columnCount > 1 && countOf(comments.at(-1)!) === columnCount;
  if (isNames) rest = comments.pop()! + rest;
  if (comments.length === 0) return rest;
  const name = decisions.decide({
    ...{ kind: "comment-lines", file, column: null, cells: comments.length, isUnclear: columnCount === 1 },
    seen: comments[0]!.trim(),
    readings: [
      { name: "left-out", text: "a comment above the table, no record" },
      { name: "data", text: "a part of the table" },
    ],
  });
  return name === "data" ? text.replace(BLANK_BEGINNING, "") : rest;
}

/** Leaves out a title above the names, if a person wants it so: lines of one field above lines of several. */
function withoutTitle(
  text: string,
  file: string,
  chosen: Separator | undefined,
  decisions: Decisions,
): string {
  if (!mayHaveTitle(text, chosen)) return text;
  let rest = text;
  for (let cut = 1; cut <= MAX_TITLE_LINES; cut++) {
    const end = rest.indexOf("\n");
    if (end === -1) return text;
    rest = rest.slice(end + 1);
    const title = text.slice(0, text.length - rest.length);
    if (title.includes('"') || !isTitle(title, beginningOf(rest), file, chosen)) continue;
    const namesLine = title.split("\n").length;
    const name = decisions.decide({
      ...{ kind: "first-line", file, column: null, cells: cut, seen: title.trim(), isUnclear: true },
      readings: [
        { name: "title", text: `a title above the table: line ${namesLine} names the columns` },
        { name: "names", text: "the names of the columns" },
      ],
    });
    return name === "title" ? rest : text;
  }
  return text;
}

/** True where a separator of later lines leaves the first one undivided: only then its lines are parsed. */
function mayHaveTitle(text: string, chosen: Separator | undefined): boolean {
  const sample = beginningOf(text);
  const end = sample.indexOf("\n");
  const [first, rest] = [sample.slice(0, end), sample.slice(end)];
  return (chosen === undefined ? SEPARATORS : [chosen]).some(
    (separator) =>
      rest.includes(separator) && first.split(separator).filter((field) => field.trim() !== "").length <= 1,
  );
}

/** Characters that a title is told by. */
const TITLE_SAMPLE_CHARACTERS = 8_000;
const beginningOf = (text: string) =>
  text.length <= TITLE_SAMPLE_CHARACTERS
    ? text
    : text.slice(0, text.lastIndexOf("\n", TITLE_SAMPLE_CHARACTERS) + 1);

/** True for lines of one field each above a line of names with values below. */
function isTitle(title: string, rest: string, file: string, chosen: Separator | undefined): boolean {
  const separator = chosen ?? separatorOrNull(rest, file);
  if (separator === null) return false;
  const [names, ...rows] = sampleRecords(rest, separator) ?? [];
  if (names === undefined || names.length < 2 || rows.length < 2) return false;
  if (rows.some(({ length }) => length !== names.length)) return false;
  const isFull = names.every((name) => name.trim() !== "" && !isValue([name]));
  if (!isFull || new Set(names).size < names.length) return false;
  const lines = title
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(separator));
  const isAlone = lines.every(([, ...others]) => others.every((field) => field.trim() === ""));
  if (!isAlone || lines[0]![0]!.trim() === "") return false;
  // As spreadsheets fill it up; else the values below show which line is the names.
  const isPadded = lines.every(({ length }) => length === names.length);
  return (
    isPadded || names.some((_, i) => isValue(rows.map((row) => row[i]!).filter((field) => field !== "")))
  );
}

const isValue = (texts: readonly string[]) =>
  texts.length > 0 && (numberColumn(texts)?.otherCount === 0 || dateColumn(texts) !== null);

/** Adds the name that a line of names lacks where each line has one field more: R's row names, or nothing behind a last separator. */
function withRowNames(lines: readonly CsvRecord[]): readonly CsvRecord[] {
  const [names, ...rows] = lines;
  if (names === undefined || rows.length < 2) return lines;
  if (rows.some(({ fields }) => fields.length !== names.fields.length + 1)) return lines;
  if (rows.every(({ fields }) => fields.at(-1) === null))
    return [names, ...rows.map((row) => ({ ...row, fields: row.fields.slice(0, -1) }))];
  const rowNames = new Set(rows.map(({ fields }) => fields[0]));
  return rowNames.size < rows.length ? lines : [{ ...names, fields: [null, ...names.fields] }, ...rows];
}

function separatorOrNull(text: string, file: string): Separator | null {
  try {
    return findSeparator(text, file);
  } catch {
    // Its reader says so.
    return null;
  }
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
    const [first, ...others] = counts ?? [];
    if (first === undefined) return [];
    // Row names without a name of their own.
    const hasRowNames = others.length > 1 && others.every((count) => count === first + 1);
    const columnCount = hasRowNames && first > 1 ? first + 1 : first;
    if (columnCount === 1) return [];
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
const fieldCounts = (text: string, separator: Separator): number[] | null =>
  sampleRecords(text, separator)?.map(({ length }) => length) ?? null;

function sampleRecords(text: string, separator: Separator): readonly (readonly string[])[] | null {
  try {
    return parse(text, {
      ...OPTIONS,
      delimiter: separator,
      to: TRIED_RECORDS,
    }) as unknown as readonly (readonly string[])[];
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
