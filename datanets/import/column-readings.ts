/**
 * How a card's fields read the columns of a table: which marks numbers have, which texts are missing values, what a number holds of a
 * date, and which categories are one. Each choice among several readings is a decision.
 */
import type { TableField } from "@openledger/attribution/rows/table-rows";
import { type Cell, textOfCell } from "./cell.ts";
import { type DateOrder, type DatePart, readDate } from "./date-forms.ts";
import type { Decisions, Reading } from "./decision.ts";
import type { FileColumn, FileTable, TextForms } from "./file-table.ts";
import { isMissingSpelling, isUsualSpelling } from "./missing-values.ts";
import { type NumberColumn, type NumberMarks, type NumberReading, readDigits } from "./number-marks.ts";
import { findTwins, tidyName } from "./twins.ts";

/** Reads a text of one file as JSON's digits of a number; null if it is none. */
export type DigitsOf = (text: string) => string | null;

/** Digits of a text in the usual form, for files whose texts are no numbers. */
const PLAIN_READING: NumberReading = {
  ...{ decimal: ".", grouping: "", isHundredths: false },
  surroundings: { currency: "", isPercent: false },
};
const plainDigits: DigitsOf = (text) => readDigits(text, PLAIN_READING);

/** Decides how a column is read as numbers, for each file that has texts in it. */
function numberReaders(
  column: FileColumn,
  { columns }: Pick<FileTable, "columns">,
  decisions: Decisions,
): ReadonlyMap<string, DigitsOf> {
  sayMissing(column, decisions);
  const readers = new Map<string, DigitsOf>();
  for (const [file, forms] of column.texts) {
    const { dates, numbers } = forms;
    if (dates !== null) readers.set(file, dateReader(column.name, file, forms, decisions));
    else if (numbers !== null) {
      const reading = marksOf({ column: column.name, file, forms, numbers }, columns, decisions);
      readers.set(file, (text) => readDigits(text, reading));
    }
  }
  return readers;
}

/** Says which texts of a column stand for missing values. */
function sayMissing({ name, texts }: FileColumn, decisions: Decisions): void {
  for (const [file, { missing, missingCount }] of texts)
    if (missing !== null)
      decisions.decide({
        ...{
          kind: "missing-values",
          file,
          column: name,
          cells: missingCount,
          seen: missing,
          isUnclear: false,
        },
        readings: [{ name: "missing", text: "a missing value" }],
      });
}

interface MarkedColumn {
  readonly column: string;
  readonly file: string;
  readonly forms: TextForms;
  readonly numbers: NumberColumn;
}

function marksOf(
  { column, file, forms, numbers }: MarkedColumn,
  columns: readonly FileColumn[],
  decisions: Decisions,
): NumberReading {
  const { readings, surroundings, unclear, unclearCount, unusual, unusualCount } = numbers;
  const plain = (marks: NumberMarks): NumberReading => ({ ...marks, surroundings, isHundredths: false });
  const numberOf = (text: string, marks: NumberMarks) => readDigits(text, plain(marks)) ?? "none";
  const subject = { kind: "number-marks" as const, file, column };
  if (unclear !== null) {
    const options = readings.map((marks) => {
      const value = numberOf(unclear, marks);
      const isDecimal = value.includes(".");
      const name = isDecimal ? "decimals" : "thousands";
      return { marks, name, text: `a number with ${name}: ${value}` };
    });
    const shown = shownDecimal(file, columns);
    const likely = shown ?? usualDecimal(forms, unclear);
    const ordered = options.sort(
      (a, b) => Number(b.marks.decimal === likely) - Number(a.marks.decimal === likely),
    );
    const name = decisions.decide({
      ...{ ...subject, cells: unclearCount, seen: unclear, isUnclear: shown === null },
      readings: ordered.map((option): Reading => ({ name: option.name, text: option.text })) as [Reading],
    });
    return plain(ordered.find((option) => option.name === name)!.marks);
  }
  const [marks] = readings as readonly [NumberMarks];
  if (unusual === null) return plain(marks);
  const value = numberOf(unusual, marks);
  const hundredths = { ...plain(marks), isHundredths: true };
  const part = {
    name: "hundredths",
    text: `a number of hundredths: ${readDigits(unusual, hundredths) ?? "none"}`,
  };
  const name = decisions.decide({
    ...{ ...subject, cells: unusualCount, seen: unusual, isUnclear: false },
    readings: [{ name: "number", text: `a number: ${value}` }, ...(surroundings.isPercent ? [part] : [])],
  });
  return name === "hundredths" ? hundredths : plain(marks);
}

/** Decimal mark that the other columns of a file show; null if none does, or they show both. */
function shownDecimal(file: string, columns: readonly FileColumn[]): "." | "," | null {
  const shown = new Set(
    columns.flatMap(({ texts, type }) => {
      const mark = type === "number" ? texts.get(file)?.numbers?.shownDecimal : null;
      return mark === null || mark === undefined ? [] : [mark];
    }),
  );
  return shown.size === 1 ? [...shown][0]! : null;
}

/**
 * Decimal mark of most files of a form, whose reading is offered first; null if nothing tells. In a file whose fields are separated by
 * commas, a comma that is no separator usually groups digits; programs of countries with decimal commas write such files, too.
 */
const usualDecimal = ({ separator }: TextForms, unclear: string): "." | null =>
  separator === "," && unclear.includes(",") ? "." : null;

const ORDER_TEXTS: Readonly<Record<DateOrder, string>> = {
  "year-first": "year, month, day",
  "day-first": "day, month, year",
  "month-first": "month, day, year",
};

function dateReader(column: string, file: string, { dates }: TextForms, decisions: Decisions): DigitsOf {
  const { orders, unclear, unclearCount } = dates!;
  const seen = unclear ?? "";
  const subject = { kind: "date-form" as const, file, column };
  if (orders.length > 1) {
    const name = decisions.decide({
      ...{ ...subject, cells: unclearCount, seen, isUnclear: true },
      readings: orders.map((order): Reading => {
        const days = readDate(seen, order, "days");
        return { name: order, text: `${ORDER_TEXTS[order]}: ${days} days after 1970-01-01` };
      }) as [Reading],
    });
    return digitsOfDate(name as DateOrder, "days");
  }
  const part = decisions.decide({
    ...{ ...subject, cells: dates!.count, seen: dates!.first, isUnclear: false },
    readings: (["days", "month", "weekday"] as const).map((name): Reading => {
      const number = readDate(dates!.first, orders[0], name);
      return { name, text: `${PART_TEXTS[name]}: ${number}` };
    }) as [Reading],
  });
  return digitsOfDate(orders[0], part as DatePart);
}

const PART_TEXTS: Readonly<Record<DatePart, string>> = {
  days: "a date, as days after 1970-01-01",
  month: "a date, as the number of its month",
  weekday: "a date, as the number of its weekday, Monday 1",
};

const digitsOfDate =
  (order: DateOrder, part: DatePart): DigitsOf =>
  (text) => {
    const number = readDate(text, order, part);
    return number === null ? null : String(number);
  };

/**
 * Decides whether spellings of missing values among categories and texts are missing values. A CSV file has no other way to say so
 * than an empty field, which many programs do not write: the usual spellings are asked there.
 */
function missingReader(
  column: FileColumn,
  { columns, records }: Pick<FileTable, "columns" | "records">,
  decisions: Decisions,
): (text: string) => boolean {
  const spellings = new Map<string, number>();
  let unclear: string | null = null;
  for (const { file, values } of records) {
    const text = values.get(column.name) ?? null;
    if (typeof text !== "string" || text.trim() === "" || !isMissingSpelling(text)) continue;
    spellings.set(text, (spellings.get(text) ?? 0) + 1);
    if (isUsualSpelling(text) && column.texts.get(file)?.separator !== null) unclear ??= text;
  }
  const [first] = spellings.keys();
  if (first === undefined) return () => false;
  const seen = unclear ?? first;
  const isAmongNumbers = columns.some(
    ({ texts, type }) => type === "number" && [...texts.values()].some(({ missing }) => missing === seen),
  );
  const value = { name: "value", text: "a value of its own" };
  const missing = { name: "missing", text: "a missing value" };
  const name = decisions.decide({
    ...{ kind: "missing-values", file: null, column: column.name, seen, isUnclear: unclear !== null },
    cells: [...spellings.values()].reduce((sum, count) => sum + count, 0),
    readings: isAmongNumbers ? [missing, value] : [value, missing],
  });
  return name === "missing" ? (text) => spellings.has(text) : () => false;
}

/** Decides which texts of a column of categories are one, and returns the category of each; null for a missing one. */
function categoryReader(
  column: FileColumn,
  table: Pick<FileTable, "columns" | "records">,
  decisions: Decisions,
): (text: string) => string | null {
  const counts = new Map<string, number>();
  const untidy = { cells: 0, seen: "" };
  for (const { values } of table.records) {
    const text = textOrNull(values.get(column.name) ?? null);
    if (text === null) continue;
    const tidy = tidyName(text);
    if (tidy !== text && untidy.cells++ === 0) untidy.seen = text;
    counts.set(tidy, (counts.get(tidy) ?? 0) + 1);
  }
  const subject = { file: null, column: column.name };
  const isMissing = missingReader(column, table, decisions);
  const orMissing = (read: (text: string) => string) => (text: string) =>
    isMissing(text) ? null : read(text);
  const twins = findTwins(counts);
  if (twins === null) {
    if (untidy.cells > 0)
      decisions.decide({
        ...{ ...subject, ...untidy, kind: "category-twins", isUnclear: false },
        readings: [{ name: "tidy", text: `the category "${tidyName(untidy.seen)}"` }],
      });
    return orMissing(tidyName);
  }
  const name = decisions.decide({
    ...{ ...subject, kind: "category-twins", cells: twins.cells, seen: twins.seen[0], isUnclear: true },
    readings: twinReadings(twins.seen),
  });
  return orMissing((text) => {
    const tidy = tidyName(text);
    return name === "same" ? (twins.sameAs.get(tidy) ?? tidy) : tidy;
  });
}

export const twinReadings = ([one, other]: readonly [string, string]): [Reading, Reading] => [
  { name: "same", text: `the same as "${other}"` },
  { name: "different", text: `"${one}", another one than "${other}"` },
];

function textOrNull(cell: Cell): string | null {
  if (cell === null || cell === "") return null;
  try {
    return textOfCell(cell);
  } catch {
    // Its row is refused where it is read.
    return null;
  }
}

/** Readers of a row's fields for one table. */
export interface FieldReaders {
  digits(field: string, file: string): DigitsOf;
  category(field: string, text: string): string | null;
  text(field: string, text: string): string | null;
}

/** Decides how the columns that a card's fields take are read. */
export function fieldReaders(
  fields: readonly TableField[],
  columnOf: (field: string) => string | null,
  table: FileTable,
  decisions: Decisions,
): FieldReaders {
  const numbers = new Map<string, ReadonlyMap<string, DigitsOf>>();
  const categories = new Map<string, (text: string) => string | null>();
  const texts = new Map<string, (text: string) => boolean>();
  for (const { name, type } of fields) {
    const column = table.columns.find((one) => one.name === columnOf(name));
    if (column === undefined) continue;
    if (type === "number") numbers.set(name, numberReaders(column, table, decisions));
    if (type === "category") categories.set(name, categoryReader(column, table, decisions));
    if (type === "text") texts.set(name, missingReader(column, table, decisions));
    if (type === "boolean") sayMissing(column, decisions);
  }
  return {
    digits: (field, file) => numbers.get(field)?.get(file) ?? plainDigits,
    text: (field, text) => (texts.get(field)?.(text) === true ? null : text),
    category: (field, text) => (categories.get(field) ?? tidyName)(text),
  };
}
