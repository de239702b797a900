/**
 * Beginning of a table of texts, as spreadsheets and programs write it: which line names the columns, and what above and below it is
 * no record. Readers of CSV and of spreadsheets call it with the lines they have.
 */
import { dateColumn } from "./date-forms.ts";
import type { Decisions, Reading } from "./decision.ts";
import { isMissingSpelling } from "./missing-values.ts";
import { numberColumn } from "./number-marks.ts";

/** A line as its fields; null is an empty one. */
export interface HeadLine {
  readonly line: number;
  readonly fields: readonly (string | null)[];
}

export interface Head<Line extends HeadLine> {
  /** Names of the columns as the file has them; null for a file without a line of names. */
  readonly names: Line | null;
  readonly records: readonly Line[];
}

/** Records that a line is compared with. */
const COMPARED_RECORDS = 200;
/** Characters and words from which on a field is a sentence, and no name. */
const SENTENCE = { characters: 40, words: 6 };

const isFilled = (field: string | null | undefined): field is string =>
  field !== null && field !== undefined && !isMissingSpelling(field);

/** Values of a column below a line. */
interface Below {
  readonly texts: readonly string[];
  readonly isValue: boolean;
}

const isValues = (texts: readonly string[]) =>
  texts.length > 0 && (numberColumn(texts)?.otherCount === 0 || dateColumn(texts) !== null);

function below(lines: readonly HeadLine[], columnCount: number): Below[] {
  const compared = lines.filter(({ fields }) => fields.length === columnCount).slice(0, COMPARED_RECORDS);
  return Array.from({ length: columnCount }, (_, i) => {
    const texts = compared.map(({ fields }) => fields[i]).filter(isFilled);
    return { texts, isValue: isValues(texts) };
  });
}

/**
 * Decides which line names the columns.
 * @param labels of the card that the rows are read for: a line that has one is a record
 */
export function readHead<Line extends HeadLine>(
  lines: readonly Line[],
  file: string,
  decisions: Decisions,
  labels: ReadonlySet<string>,
): Head<Line> {
  const [first, second, ...rest] = lines;
  if (first === undefined) return { names: null, records: [] };
  if (second === undefined) return { names: first, records: [] };
  const after = withoutRepeatedNames(first, [second, ...rest], file, decisions);
  const columns = below(after, first.fields.length);
  if (hasUnits(second, rest, first)) return withUnits(lines, file, decisions);
  const why = hasNames(first, columns) ? null : seemsRecord(first, columns, labels);
  if (why === null) return { names: first, records: after };
  const name = decisions.decide({
    ...{ kind: "first-line", file, column: null, cells: 1, seen: why, isUnclear: true },
    readings: [
      { name: "names", text: "the names of the columns" },
      { name: "data", text: "a record like the others: the columns are called column 1, column 2 …" },
    ],
  });
  return name === "data" ? { names: null, records: lines } : { names: first, records: after };
}

/** True where a column of values has a name above it that is none. */
const hasNames = ({ fields }: HeadLine, columns: readonly Below[]) =>
  columns.some(({ isValue }, i) => isValue && isName(fields[i]));

const isName = (field: string | null | undefined) => isFilled(field) && !isValues([field]);

/** Field by which a line seems to be a record; null if it seems to be names. */
function seemsRecord(
  { fields }: HeadLine,
  columns: readonly Below[],
  labels: ReadonlySet<string>,
): string | null {
  const values = fields.filter((field, i) => isFilled(field) && columns[i]!.isValue && isValues([field]));
  const isYears = values.length > 1 && areYears(values as string[]) && !areYears(columns.at(-1)!.texts);
  const found = fields.find((field, i) => {
    if (!isFilled(field)) return false;
    const { isValue, texts } = columns[i]!;
    if (labels.has(field.trim())) return true;
    if (isValue) return !isYears && isValues([field]);
    return texts.includes(field) || (isSentence(field) && 2 * medianLength(texts) >= field.length);
  });
  if (found !== undefined || values.length > 0) return found ?? null;
  // A record may lack its numbers; a data frame's index lacks its name alone.
  const isIndex = ({ texts }: Below) =>
    texts.every((text) => /^\d+$/.test(text)) && new Set(texts).size === texts.length;
  // A column without name and values is no index either. The last one comes of a separator at the lines' ends.
  const isEmpty = ({ texts }: Below, i: number) => texts.length === 0 && i < fields.length - 1;
  const lacks = columns.some(
    (one, i) => !isFilled(fields[i]) && (isEmpty(one, i) || (one.isValue && !(i === 0 && isIndex(one)))),
  );
  return lacks ? (fields.find(isFilled) ?? "") : null;
}

/** True for years in order, one column each. */
const areYears = (fields: readonly string[]) =>
  fields.every(
    (field, i) => /^(19|20)\d\d$/.test(field) && (i === 0 || Number(field) > Number(fields[i - 1])),
  );

const isSentence = (text: string) =>
  text.length >= SENTENCE.characters || text.trim().split(/\s+/).length >= SENTENCE.words;

function medianLength(texts: readonly string[]): number {
  const lengths = texts.map(({ length }) => length).sort((a, b) => a - b);
  return lengths[Math.floor(lengths.length / 2)] ?? 0;
}

/** True where the second line has no number in any column of numbers: units, or names below a title for several columns. */
function hasUnits(second: HeadLine, rest: readonly HeadLine[], first: HeadLine): boolean {
  if (rest.length < 2 || second.fields.length !== first.fields.length) return false;
  const columns = below(rest, second.fields.length);
  const values = columns.flatMap(({ isValue }, i) => (isValue ? [i] : []));
  const isNamed = values.every((i) => !isValues([first.fields[i] ?? ""]));
  return (
    isNamed &&
    values.some((i) => isName(second.fields[i])) &&
    values.every((i) => !isFilled(second.fields[i]) || isName(second.fields[i]))
  );
}

const UNIT =
  /^\W?(?:[kmcdµμn]?(?:g|m|l|s|A|V|W|Pa|Hz|J|N|mol|B|bit)[²³]?|°[CF]?|%|h|min|d|days?|years?|[a-z]+\/[a-z]+|EUR|USD|GBP|CHF|\p{Sc})\W?$/iu;

/** Decides which of two lines above the records names the columns. */
function withUnits<Line extends HeadLine>(
  lines: readonly Line[],
  file: string,
  decisions: Decisions,
): Head<Line> {
  const [first, second, ...rest] = lines as [Line, Line, ...Line[]];
  const emptyCount = ({ fields }: HeadLine) => fields.filter((field) => !isFilled(field)).length;
  const unitCount = ({ fields }: HeadLine) =>
    fields.filter((field) => isFilled(field) && UNIT.test(field.trim())).length;
  const isFirstAbove =
    unitCount(first) > unitCount(second) ||
    (unitCount(first) === unitCount(second) && emptyCount(first) > emptyCount(second));
  const units: Reading = { name: "units", text: "units or notes below the names, no record" };
  const above: Reading = {
    name: "second-line",
    text: "the names of the columns; the line above is no record",
  };
  const name = decisions.decide({
    ...{ kind: "first-line", file, column: null, cells: 1, isUnclear: true },
    seen: second.fields.find(isFilled) ?? "",
    readings: [
      ...(isFirstAbove ? ([above, units] as const) : ([units, above] as const)),
      { name: "names", text: "a record; the line above it names the columns" },
    ],
  });
  if (name === "second-line") return { names: second, records: rest };
  return { names: first, records: name === "units" ? rest : [second, ...rest] };
}

/** Leaves out records that repeat the line of names, as files do that were put together from several: where values differ from names. */
function withoutRepeatedNames<Line extends HeadLine>(
  names: Line,
  records: readonly Line[],
  file: string,
  decisions: Decisions,
): readonly Line[] {
  if (names.fields.length < 2) return records;
  const isRepeated = ({ fields }: Line) =>
    fields.length === names.fields.length && fields.every((field, i) => field === names.fields[i]);
  const others = records.filter((one) => !isRepeated(one));
  const cells = records.length - others.length;
  if (cells === 0 || !hasNames(names, below(others, names.fields.length))) return records;
  const name = decisions.decide({
    ...{ kind: "comment-lines", file, column: null, cells, isUnclear: false },
    seen: names.fields.join(", "),
    readings: [
      { name: "left-out", text: "the line of names once more, no record" },
      { name: "data", text: "a record" },
    ],
  });
  return name === "data" ? records : others;
}
