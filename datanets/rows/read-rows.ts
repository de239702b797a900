/**
 * Reads a contributor's files (text, JSON lines, CSV, Parquet, images) as rows of a Datanet: bytes in the form that its card
 * asks for, with one encoding for each row (docs/explanation/datanets.md, "Files"). The contribute command and page call it.
 */
import { encodeRow, labelsOf } from "@openledger/attribution/rows/row-content";
import type { FieldType } from "@openledger/attribution/rows/row-kinds";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { exactNumber, isExact, Numeral, parseExactJson } from "@openledger/foundation/exact-json";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { lineWithoutFeed, textOfFile } from "@openledger/foundation/utf8";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { readCsv } from "./csv.ts";
import { ClassLabel, openParquet } from "./parquet-records.ts";

export const FILE_FORMATS = ["whole", "lines", "jsonl", "csv", "parquet"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const FORMATS: Readonly<Record<string, FileFormat>> = {
  jsonl: "jsonl",
  ndjson: "jsonl",
  csv: "csv",
  parquet: "parquet",
  ...Object.fromEntries(
    ["txt", "text", "md", "eml", "png", "jpg", "jpeg", "gif", "webp"].map((ending) => [ending, "whole"]),
  ),
};

/** Returns the format by the file's ending; null if the ending does not say how to read the file. */
export function formatOf(path: string): FileFormat | null {
  const ending = path.toLowerCase().split(/[/\\]/).at(-1)!.split(".").slice(1).at(-1) ?? "";
  return Object.hasOwn(FORMATS, ending) ? FORMATS[ending]! : null;
}

/**
 * Returns the format as `formatOf` does.
 * @throws DNT_FILE_UNREADABLE for an ending that does not say: such a file would become one row
 */
export function requireFormat(path: string): FileFormat {
  const format = formatOf(path);
  if (format !== null) return format;
  const why = `which format is it? Its ending is none of ${Object.keys(FORMATS).join(", ")}`;
  throw unreadable(
    { file: path, line: 0 },
    `${why}: convert it, or say the format (${FILE_FORMATS.join(", ")})`,
  );
}

/** Column names by the card's fields: which name each has in a file. */
export type ColumnNames = Readonly<Record<string, string>>;

export interface FileColumns {
  /** Columns of the file, by its first record. */
  readonly has: readonly string[];
  readonly needs: readonly string[];
}

/**
 * Returns the columns that need a name; null if the file has the card's columns, by these names or the card's own.
 * @throws DNT_FILE_UNREADABLE
 */
export async function columnsToName(
  { row }: Pick<Card, "row">,
  format: FileFormat,
  content: Uint8Array,
  names: ColumnNames = {},
): Promise<FileColumns | null> {
  if (format === "whole" || format === "lines") return null;
  const { columns: has, read } = await tableOf(format, content, "");
  if (has.length === 0 || (await read([])).length === 0) return null;
  const isThere = (name: string) => has.includes(names[name] ?? name);
  const needs = neededBy(row, isThere("text"));
  return needs.every(isThere) ? null : { has, needs };
}

function neededBy({ fields, kind }: Card["row"], hasText: boolean): readonly string[] {
  if (kind === "table") return fields.map(({ name }) => name);
  if (kind === "email") return ["label", "text"];
  if (kind === "digit") return ["label", "pixels"];
  return kind === "passage" && !hasText ? ["prompt", "answer"] : ["text"];
}

/** Fields that a row of the card could have. */
const takenBy = ({ fields, kind }: Card["row"]): readonly string[] =>
  kind === "table" ? fields.map(({ name }) => name) : ["label", "text", "pixels", "prompt", "answer"];

/**
 * @param names of columns that are called otherwise than the card has it
 * @param file what the error calls it
 * @throws DNT_FILE_UNREADABLE naming file, line and field
 */
export async function readRowsOf(
  card: Pick<Card, "row">,
  format: FileFormat,
  content: Uint8Array,
  names: ColumnNames = {},
  file = "",
): Promise<Uint8Array[]> {
  const rows = await rowsOf(card, format, content, names, file);
  if (rows.length === 0) throw unreadable({ file, line: 0 }, "it has no rows");
  return rows;
}

async function rowsOf(
  card: Pick<Card, "row">,
  format: FileFormat,
  content: Uint8Array,
  names: ColumnNames,
  file: string,
): Promise<Uint8Array[]> {
  const { kind } = card.row;
  const rowOfText = (text: string) =>
    kind === "passage" ? encodeTextRow({ text }) : new TextEncoder().encode(text);
  if (format === "whole") {
    if (content.length === 0) return [];
    if (kind === "image") return [content];
    return [atPlace({ file, line: 0 }, () => rowOfText(textOf(content, file)))];
  }
  if (format === "lines") {
    const text = textOf(content, file);
    const line = lineWithoutFeed(text);
    if (line !== null) throw unreadable({ file, line }, "a line ends without a line feed");
    return text
      .split(/\r?\n/)
      .flatMap((line, i) => (line === "" ? [] : [atPlace({ file, line: i + 1 }, () => rowOfText(line))]));
  }
  const { columns, read } = await tableOf(format, content, file);
  const taken = takenBy(card.row).map((name) => [name, names[name] ?? name] as const);
  const records = await read(
    [...new Set(taken.map(([, column]) => column))].filter((name) => columns.includes(name)),
  );
  return records.map(({ line, values }) => {
    const own = Object.fromEntries(taken.map(([name, column]) => [name, values[column]]));
    const place: Place = format === "parquet" ? { file, line, unit: "row" } : { file, line };
    return atPlace(place, () => rowOf(card, own, place));
  });
}

type FileRecord = Readonly<Record<string, unknown>>;

interface FileTable {
  /** Columns of the table; of JSON lines those of the first one. */
  readonly columns: readonly string[];
  read(
    columns: readonly string[],
  ): Promise<readonly { readonly line: number; readonly values: FileRecord }[]>;
}

async function tableOf(
  format: "jsonl" | "csv" | "parquet",
  content: Uint8Array,
  file: string,
): Promise<FileTable> {
  if (format === "parquet") return parquetTable(content, file);
  const text = textOf(content, file);
  if (format === "csv") {
    const { names, rows } = atPlace({ file, line: 0 }, () => readCsv(text));
    const records = rows.map(({ fields, line }) => ({
      line,
      values: Object.fromEntries(names.map((name, i) => [name, fields[i]])),
    }));
    return { columns: names, read: async () => records };
  }
  const records = text.split(/\r?\n/).flatMap((json, i) => {
    if (json.trim() === "") return [];
    const line = i + 1;
    let value: unknown;
    try {
      value = parseExactJson(json);
    } catch (cause) {
      const { message } = cause as Error;
      throw unreadable({ file, line }, message.includes("twice") ? message : "it is not JSON", cause);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Numeral)
      throw unreadable({ file, line }, "it is no object");
    return [{ line, values: value as FileRecord }];
  });
  // Of a name with null nothing is known, as of one that is not there.
  const columns = Object.entries(records[0]?.values ?? {}).flatMap(([name, value]) =>
    value === null ? [] : [name],
  );
  return { columns: records.length === 0 ? [] : columns, read: async () => records };
}

async function parquetTable(content: Uint8Array, file: string): Promise<FileTable> {
  const work = async <Result>(run: () => Promise<Result>) =>
    run().catch((cause: Error) => {
      const why =
        cause instanceof TypeError ? cause.message : `it cannot be read as Parquet: ${cause.message}`;
      throw unreadable({ file, line: 0 }, why, cause);
    });
  const { columns, read } = await work(() => openParquet(content));
  return {
    columns,
    read: (names) => work(async () => (await read(names)).map((values, i) => ({ line: i + 1, values }))),
  };
}

/** A record in the card's form. */
function rowOf({ row }: Pick<Card, "row">, record: FileRecord, place: Place): Uint8Array {
  const textField = (name: string) => fieldOf(record[name], "text", { ...place, field: name }) as string;
  switch (row.kind) {
    case "email":
    case "digit": {
      // A list of one label is none, nor are its bytes.
      const isOne = typeof record.label !== "object" || isSpelled(record.label);
      const label = isOne ? labelsOf(row.kind).indexOf(String(record.label)) : -1;
      if (label < 0)
        throw unreadable(
          { ...place, field: "label" },
          `its label is none of ${labelsOf(row.kind).join(", ")}`,
        );
      return encodeRow(row.kind, { label, input: textField(row.kind === "email" ? "text" : "pixels") });
    }
    case "text":
      return new TextEncoder().encode(textField("text"));
    case "passage":
      if ((record.text ?? null) === null)
        return encodeTextRow({ prompt: textField("prompt"), answer: textField("answer") });
      for (const field of ["prompt", "answer"])
        if ((record[field] ?? "") !== "")
          throw unreadable({ ...place, field }, `it has a text beside "${field}": leave one of them out`);
      return encodeTextRow({ text: textField("text") });
    case "table":
      return encodeTableRow(
        row.fields,
        row.fields.map(({ name, type }) => {
          const value = record[name];
          return isMissing(value, type) ? null : fieldOf(value, type, { ...place, field: name });
        }),
      );
    case "image":
      throw unreadable(place, "images come as files, one a row");
    default:
      return row.kind satisfies never;
  }
}

/** True for null, and for an empty cell of CSV where it can be no value. */
const isMissing = (value: unknown, type: FieldType) => value === null || (value === "" && type !== "text");

const INTEGER = /^-?\d+$/;
/** Numbers as in JSON: one has no zeros before it, and an area code is no number. */
const NUMERAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** True for numbers and names that a file's format wraps. */
const isSpelled = (value: unknown) => value instanceof Numeral || value instanceof ClassLabel;

/** CSV has texts alone, Parquet wide integers and bytes. */
function fieldOf(
  value: unknown,
  type: FieldType,
  place: Place & { readonly field: string },
): string | number | boolean {
  const wrong = (why = `"${place.field}" is no ${type}`) => unreadable(place, why);
  if (type === "text" || type === "category") {
    if (typeof value === "string") {
      if (!isWellFormed(value)) throw wrong(`"${place.field}" has half of a surrogate pair`);
      return value;
    }
    if (value instanceof Uint8Array) throw wrong(`"${place.field}" has bytes that are no UTF-8`);
    if (value instanceof ClassLabel) return String(value);
    // A whole number has one spelling.
    const digits = typeof value === "bigint" || value instanceof Numeral ? String(value) : "";
    if (INTEGER.test(digits) && digits !== "-0") return digits;
    throw wrong();
  }
  if (type === "boolean") {
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw wrong();
  }
  const raw = value instanceof ClassLabel ? value.value : value;
  if (typeof raw === "number") {
    if (Number.isFinite(raw) && isExact(raw)) return raw;
    throw Number.isFinite(raw) ? wrong(inexact(place.field, Object.is(raw, -0) ? "-0" : raw)) : wrong();
  }
  const digits = raw instanceof Numeral || typeof raw === "bigint" ? String(raw) : raw;
  if (typeof digits === "string" && /^-?0\d/.test(digits)) throw wrong(inexact(place.field, digits));
  if (typeof digits !== "string" || !NUMERAL.test(digits)) throw wrong();
  const number = exactNumber(digits);
  if (number === null) throw wrong(inexact(place.field, digits));
  return number;
}

/** False for half of a surrogate pair, in place of which UTF-8 has a replacement character. */
const isWellFormed = (text: string) => !/\p{Cs}/u.test(text);

const inexact = (field: string, digits: string | number) =>
  `"${field}" is ${String(digits).slice(0, 40)}, which a row's number cannot hold: make the field a text`;

function textOf(content: Uint8Array, file: string): string {
  try {
    return textOfFile(content);
  } catch (cause) {
    throw unreadable({ file, line: 0 }, "it is no UTF-8", cause);
  }
}

interface Place {
  readonly file: string;
  /** Line from 1 on, or the row of a Parquet file; 0 is the whole file. */
  readonly line: number;
  readonly field?: string;
  /** Unit that `line` counts; lines if absent. */
  readonly unit?: "row";
}

/** Runs `work` and returns its result. An error of it names the place. */
function atPlace<Result>(place: Place, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!isRollupError(cause)) throw cause;
    const {
      file,
      line = place.line,
      why = cause.message,
    } = (cause.data ?? {}) as Partial<Place> & { why?: string };
    // The place is there already.
    if (file !== undefined) throw cause;
    throw unreadable({ ...place, line }, why, cause);
  }
}

function unreadable(place: Place, why: string, cause?: unknown) {
  const line = place.line === 0 ? "" : `${place.unit ?? "line"} ${place.line}`;
  const where = [place.file, line].filter((part) => part !== "");
  return datanetError("DNT_FILE_UNREADABLE", [...where, why].join(": "), { data: { ...place, why }, cause });
}
