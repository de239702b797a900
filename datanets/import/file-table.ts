/** Table that a file becomes before its columns are mapped to a row's fields: columns with the types found, and lines. */
import { Numeral } from "@openledger/foundation/exact-json";
import { type Cell, ClassLabel, LossyCell } from "./cell.ts";
import { isConversation } from "./conversations.ts";
import { type DateColumn, dateColumn } from "./date-forms.ts";
import type { Decision } from "./decision.ts";
import { isMissingSpelling } from "./missing-values.ts";
import { type NumberColumn, numberColumn } from "./number-marks.ts";
import type { FilePosition, Refusal } from "./refusal.ts";

/**
 * Type of all values of a column; "mixed" if they have several, "empty" if each is missing. Texts that are numbers or dates make a
 * column of these, also where some say that their value is missing.
 */
export type ColumnType =
  | "text"
  | "number"
  | "date"
  | "boolean"
  | "label"
  | "picture"
  | "messages"
  | "list"
  | "object"
  | "mixed"
  | "empty";

export interface FileColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly missingCount: number;
  /** Texts of the column by the files that have any. */
  readonly texts: ReadonlyMap<string, TextForms>;
  /** Why none of its values can be read without a loss; null if they can. */
  readonly lossy: string | null;
}

/** Forms of a column's texts in one file. Texts that stand for missing values do not count for numbers and dates. */
export interface TextForms {
  readonly numbers: NumberColumn | null;
  readonly dates: DateColumn | null;
  /** Texts that stand for a missing value among numbers, and the first of them. */
  readonly missingCount: number;
  readonly missing: string | null;
  /** Separator of a CSV file's fields; null for other files, whose formats have missing values and numbers of their own. */
  readonly separator: string | null;
}

export interface FileRecord extends Omit<FilePosition, "field"> {
  /** Values by their columns. A column that is absent is missing. */
  readonly values: ReadonlyMap<string, Cell>;
}

export interface FileTable {
  readonly columns: readonly FileColumn[];
  readonly records: readonly FileRecord[];
  /** Lines and files that could not be read; the others are in `records`. */
  readonly refused: readonly Refusal[];
  /** How the files were read, where a reader had a choice: "a.csv: separated by ;". */
  readonly notices: readonly string[];
  /** Places where the files admit several readings, with the one that was taken. */
  readonly decisions: readonly Decision[];
}

/** Result of a reader for one file. */
export interface ReadFile {
  readonly columns: readonly string[];
  readonly records: readonly FileRecord[];
  readonly refused: readonly Refusal[];
  readonly notices: readonly string[];
  /** Separator of a CSV file's fields, a tab for one column; absent for other files. */
  readonly separator?: string;
}

/** Describes columns by all their values. @param separators of CSV files by their names */
export function describeColumns(
  names: readonly string[],
  records: readonly FileRecord[],
  separators: ReadonlyMap<string, string> = new Map(),
): FileColumn[] {
  return names.map((name) => {
    const types = new Set<ColumnType>();
    let missingCount = 0;
    let [lossy, lossyCount]: [string | null, number] = [null, 0];
    const byFile = new Map<string, string[]>();
    for (const { file, values } of records) {
      const cell = values.get(name) ?? null;
      if (cell === null || cell === "") {
        missingCount++;
        continue;
      }
      if (cell instanceof LossyCell) {
        lossy ??= cell.why;
        lossyCount++;
      } else if (typeof cell !== "string") types.add(typeOfCell(cell));
      else {
        const texts = byFile.get(file);
        if (texts === undefined) byFile.set(file, [cell]);
        else texts.push(cell);
      }
    }
    const texts = new Map(
      [...byFile].map(([file, own]) => [file, formsOf(own, separators.get(file) ?? null)]),
    );
    for (const type of textTypes(texts, byFile, types.has("number"))) types.add(type);
    // A single cell is refused with its row.
    const isLossy = lossyCount > 0 && lossyCount + missingCount === records.length;
    if (isLossy) types.add("mixed");
    const [first] = types;
    return {
      name,
      missingCount,
      texts,
      lossy: isLossy ? lossy : null,
      type: types.size > 1 ? "mixed" : (first ?? "empty"),
    };
  });
}

function formsOf(all: readonly string[], separator: string | null): TextForms {
  const texts = all.filter((text) => !isMissingSpelling(text));
  return {
    numbers: numberColumn(texts),
    dates: dateColumn(texts),
    missingCount: all.length - texts.length,
    missing: all.find(isMissingSpelling) ?? null,
    separator,
  };
}

/** Types of a column's texts: numbers or dates if all of them are, whichever file they are in. */
function textTypes(
  texts: ReadonlyMap<string, TextForms>,
  byFile: ReadonlyMap<string, readonly string[]>,
  hasNumbers: boolean,
): readonly ColumnType[] {
  const all = [...texts].filter(([file, { missingCount }]) => byFile.get(file)!.length > missingCount);
  const isMissing = all.length === 0 && texts.size > 0;
  if (texts.size === 0 || (isMissing && hasNumbers)) return [];
  if (isMissing) return ["text"];
  if (all.every(([, { numbers }]) => numbers !== null && numbers.otherCount === 0)) return ["number"];
  if (all.every(([, { dates }]) => dates !== null)) return ["date"];
  return ["text"];
}

function typeOfCell(cell: Exclude<NonNullable<Cell>, LossyCell>): ColumnType {
  if (typeof cell === "string") return "text";
  if (typeof cell === "boolean") return "boolean";
  if (cell instanceof ClassLabel) return "label";
  if (cell instanceof Numeral || typeof cell === "number" || typeof cell === "bigint") return "number";
  if (cell instanceof Uint8Array) return "picture";
  if (Array.isArray(cell)) return isConversation(cell) ? "messages" : "list";
  return (cell as { readonly bytes?: unknown }).bytes instanceof Uint8Array ? "picture" : "object";
}
