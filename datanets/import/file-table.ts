/** Table that a file becomes before its columns are mapped to a row's fields: columns with the types found, and records. */
import { Numeral } from "@openledger/foundation/exact-json";
import { type Cell, ClassLabel, isNumeral, LossyCell } from "./cell.ts";
import type { Decision } from "./decision.ts";
import type { FilePosition, Refusal } from "./refusal.ts";

/** Type of all values of a column; "mixed" if they have several, "empty" if each is missing. */
export type ColumnType =
  | "text"
  | "number"
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
  /** True if texts are numbers with a comma, and would be none with a point. */
  readonly hasDecimalCommas: boolean;
  readonly missingCount: number;
}

export interface FileRecord extends Omit<FilePosition, "field"> {
  /** Values by their columns. A column that is absent is missing. */
  readonly values: ReadonlyMap<string, Cell>;
}

export interface FileTable {
  readonly columns: readonly FileColumn[];
  readonly records: readonly FileRecord[];
  /** Records and files that could not be read; the others are in `records`. */
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
}

/** Describes columns by all their values. */
export function describeColumns(names: readonly string[], records: readonly FileRecord[]): FileColumn[] {
  return names.map((name) => {
    const types = new Set<ColumnType>();
    let missingCount = 0;
    let [points, commas] = [0, 0];
    let isNumeric = true;
    for (const { values } of records) {
      const cell = values.get(name) ?? null;
      if (cell === null || cell === "") missingCount++;
      else types.add(typeOfCell(cell));
      if (typeof cell !== "string" || cell === "") continue;
      const [isPoint, isComma] = [isNumeral(cell), isNumeral(cell, true)];
      isNumeric &&= isPoint || isComma;
      if (isPoint && !isComma) points++;
      if (isComma && !isPoint) commas++;
    }
    const [first] = types;
    const type = types.size > 1 ? "mixed" : (first ?? "empty");
    const hasNumerals = type === "text" && isNumeric && (points === 0 || commas === 0);
    return {
      name,
      missingCount,
      hasDecimalCommas: hasNumerals && commas > 0,
      type: hasNumerals ? "number" : type,
    };
  });
}

function typeOfCell(cell: NonNullable<Cell>): ColumnType {
  if (typeof cell === "string") return "text";
  if (typeof cell === "boolean") return "boolean";
  if (cell instanceof ClassLabel) return "label";
  if (cell instanceof Numeral || typeof cell === "number" || typeof cell === "bigint") return "number";
  if (cell instanceof Uint8Array) return "picture";
  if (cell instanceof LossyCell) return "mixed";
  if (Array.isArray(cell)) return isMessages(cell) ? "messages" : "list";
  return (cell as { readonly bytes?: unknown }).bytes instanceof Uint8Array ? "picture" : "object";
}

const isMessages = (list: readonly unknown[]) =>
  list.length > 0 &&
  list.every((entry) => {
    const { content, from, role, value } = (entry ?? {}) as Record<string, unknown>;
    return (
      (typeof role === "string" && content !== undefined) || (typeof from === "string" && value !== undefined)
    );
  });
