/**
 * Reader of Excel workbooks (.xlsx): a sheet is a table. Values are those that the cells show: dates by their formats, texts of formulas as
 * they were last computed. Numbers keep all their digits.
 */
import { counted } from "@openledger/foundation/counted";
import { Numeral } from "@openledger/foundation/exact-json";
import { type Cell, LossyCell } from "./cell.ts";
import type { Decisions } from "./decision.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import { type HeadLine, readHead } from "./head-lines.ts";
import type { ImportBudget, ImportFile } from "./import-file.ts";
import { refusalText, unreadable } from "./refusal.ts";
import { percentOf } from "./sheet-formats.ts";
import { unpackZip } from "./unpack-zip.ts";
import { Percentage, readSheet, readWorkbook, type Sheet, type SheetPart } from "./workbook.ts";

interface XlsxContext {
  readonly budget: ImportBudget;
  readonly decisions: Decisions;
  readonly labels: ReadonlySet<string>;
}

/** First bytes of a file that is no archive, but a protected workbook, or one of an older form. */
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0] as const;
/** Maximum cells of a workbook: what a browser's tab holds at ease. */
const MAX_CELLS = 10_000_000;
/** Maximum bytes of one sheet unpacked: a text of more is beyond what engines hold. */
const MAX_SHEET_BYTES = 256 * 2 ** 20;
/** Sheets that a question names. */
const MAX_SHEETS = 50;
/** Maximum lines above the names. */
const MAX_TITLE_LINES = 8;
/** Reading that takes all sheets. */
const ALL = "all sheets";

/** @throws DNT_FILE_UNREADABLE for what is no workbook, or over a limit */
export async function readXlsx(file: ImportFile, context: XlsxContext): Promise<ReadFile> {
  const { name } = file;
  const { budget, decisions } = context;
  if (COMPOUND_FILE.every((byte, i) => file.content[i] === byte))
    throw unreadable(
      { file: name, line: 0 },
      "it is protected by a password, or of an older form: save it as .xlsx without a password",
    );
  const { files, refused } = await unpackZip(file, budget, { isDocument: true });
  if (refused[0] !== undefined) throw unreadable({ file: name, line: 0 }, refusalText(refused[0]));
  const parts = new Map(files.map((one) => [one.name.slice(name.length + 1), one.content]));
  const work = <Result>(run: () => Result): Result => {
    try {
      return run();
    } catch (cause) {
      if ((cause as { readonly code?: string }).code === "DNT_FILE_UNREADABLE") throw cause;
      throw unreadable(
        { file: name, line: 0 },
        `it cannot be read as a workbook: ${(cause as Error).message}`,
        cause,
      );
    }
  };
  const workbook = work(() => readWorkbook(parts));
  let cellCount = 0;
  const takeCells = (count: number) => {
    cellCount += count;
    if (cellCount > MAX_CELLS)
      throw unreadable({ file: name, line: 0 }, `it has more than ${MAX_CELLS} cells: divide it`);
    // Looks at the clock.
    budget.takeRecords(name, 0);
  };
  const read = new Map<SheetPart, Sheet>();
  for (const part of workbook.sheets) {
    const content = parts.get(part.path)!;
    if (content.length > MAX_SHEET_BYTES)
      throw unreadable({ file: name, line: 0 }, `its sheet "${part.name}" is too large: divide it`);
    read.set(
      part,
      work(() => readSheet(content, workbook, takeCells)),
    );
  }
  const withCells = [...read].filter(([, { rows }]) => rows.length > 0);
  const visible = withCells.filter(([{ isHidden }]) => !isHidden);
  const taken = takenSheets(visible.length === 0 ? withCells : visible, withCells, name, decisions);
  const tables = taken.map(([part, sheet]) =>
    tableOf(sheet, taken.length === 1 ? name : `${name}/${part.name}`, context),
  );
  const hidden = withCells.filter((one) => one[0].isHidden && !taken.includes(one));
  const notices = [
    ...hidden.map(([part]) => `${name}: the hidden sheet "${part.name}" is left out`),
    ...tables.flatMap((table) => table.notices),
  ];
  return {
    columns: [...new Set(tables.flatMap(({ columns }) => columns))],
    records: tables.flatMap(({ records }) => records),
    refused: [],
    notices,
  };
}

type NamedSheet = readonly [SheetPart, Sheet];

/** Asks which of several sheets is the table. @param offered sheets that people see; @param all with the hidden ones, which may be chosen */
function takenSheets(
  offered: readonly NamedSheet[],
  all: readonly NamedSheet[],
  file: string,
  decisions: Decisions,
): readonly NamedSheet[] {
  const [first] = offered;
  if (first === undefined || all.length === 1) return offered;
  const sizeOf = ([part, { rows }]: NamedSheet) =>
    `the sheet "${part.name}"${part.isHidden ? ", which is hidden" : ""}: ${counted(rows.length, "line")}`;
  const others = [...offered.slice(1), ...all.filter((one) => !offered.includes(one))].slice(0, MAX_SHEETS);
  const name = decisions.decide({
    ...{ kind: "sheet", file, column: null, cells: first[1].rows.length, seen: first[0].name },
    isUnclear: offered.length > 1,
    readings: [
      { name: first[0].name, text: sizeOf(first) },
      ...others.map((one) => ({ name: one[0].name, text: sizeOf(one) })),
      ...(offered.length > 1
        ? [{ name: ALL, text: `the ${offered.length} sheets one after the other` }]
        : []),
    ],
  });
  const chosen = [first, ...others].find(([part]) => part.name === name);
  return chosen === undefined ? offered : [chosen];
}

/** A sheet's line as texts, for the rules that tell names from records, with its cells. */
interface SheetLine extends HeadLine {
  readonly cells: readonly Cell[];
}

function tableOf(sheet: Sheet, file: string, { budget, decisions, labels }: XlsxContext): ReadFile {
  const found = new Set<number>();
  for (const { cells } of sheet.rows) for (const column of cells.keys()) found.add(column);
  const used = [...found].sort((a, b) => a - b);
  budget.requireColumns(file, used.length);
  budget.takeRecords(file, sheet.rows.length);
  const withNumbers = new Set(
    used.filter((column) => sheet.rows.some(({ cells }) => cells.get(column) instanceof Numeral)),
  );
  const lines = sheet.rows.map(({ cells, line }): SheetLine => {
    const own = used.map((column): Cell => {
      const cell = cells.get(column) ?? null;
      if (!(cell instanceof Percentage)) return cell;
      // Among numbers it is one of them.
      return withNumbers.has(column) ? new Numeral(String(cell.value)) : percentOf(cell.value);
    });
    return { line, cells: own, fields: own.map(fieldOf) };
  });
  const table = withoutTitle(lines, file, decisions);
  const { names, records } =
    table.length < lines.length
      ? { names: table[0]!, records: table.slice(1) }
      : readHead(lines, file, decisions, labels);
  const columns = namesOf(names, used, file);
  const isMany = (count: number) => (count === 1 ? "is" : "are");
  return {
    columns,
    records: records.map(
      ({ cells, line }): FileRecord => ({
        ...{ file, line, unit: "row" },
        values: new Map(columns.map((name, i) => [name, cells[i]!])),
      }),
    ),
    refused: [],
    notices: [
      ...(sheet.hiddenRowCount === 0
        ? []
        : [
            `${file}: ${counted(sheet.hiddenRowCount, "hidden row")} ${isMany(sheet.hiddenRowCount)} read, too`,
          ]),
      ...(sheet.hiddenColumnCount === 0 ? [] : [`${file}: hidden columns are read, too`]),
      ...(sheet.mergedCount === 0
        ? []
        : [
            `${file}: ${counted(sheet.mergedCount, "group")} of merged cells: the value is that of the first cell, the others are empty`,
          ]),
    ],
  };
}

/** A cell's text as the rules for names see it. */
function fieldOf(cell: Cell): string | null {
  if (cell === null) return null;
  return cell instanceof LossyCell ? cell.why : String(cell);
}

/** Leaves out lines of one cell each above a line of names, if a person wants it so. */
function withoutTitle(lines: readonly SheetLine[], file: string, decisions: Decisions): readonly SheetLine[] {
  const countOf = ({ fields }: SheetLine) => fields.filter((field) => field !== null).length;
  const cut = lines.findIndex((line) => countOf(line) > 1);
  const names = lines[cut];
  if (names === undefined || cut < 1 || cut > MAX_TITLE_LINES || lines.length < cut + 3) return lines;
  const isNames = names.cells.every((cell) => cell === null || typeof cell === "string");
  if (!isNames || 2 * countOf(names) < names.fields.length) return lines;
  const seen = lines[0]!.fields.find((field) => field !== null)!;
  const name = decisions.decide({
    ...{ kind: "first-line", file, column: null, cells: cut, seen, isUnclear: true },
    readings: [
      { name: "title", text: `a title above the table: row ${names.line} names the columns` },
      { name: "names", text: "the names of the columns" },
    ],
  });
  return name === "title" ? lines.slice(cut) : lines;
}

/** Trimmed names; a column without one is called by its number. */
function namesOf(line: SheetLine | null, used: readonly number[], file: string): string[] {
  const names = used.map((_, i) => (line?.fields[i] ?? "").trim() || `column ${i + 1}`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw unreadable(
      { file, line: line?.line ?? 0, unit: "row", field: twice },
      `two columns are named "${twice}": rename one`,
    );
  return names;
}
