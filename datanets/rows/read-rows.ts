/** Files of people as rows of a Datanet: bytes in the card's form, one way to write each (docs/explanation/datanets.md, "Files"). */
import { encodeRow, labelsOf } from "@openledger/attribution/rows/row-content";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { parseCsv } from "./csv.ts";
import { utf8 } from "./row-view.ts";

export const FILE_FORMATS = ["whole", "lines", "jsonl", "csv", "parquet"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

/** By the file's ending; "whole" for every other: one file, one row. */
export function formatOf(path: string): FileFormat {
  const ending = path.toLowerCase().split(".").at(-1);
  if (ending === "jsonl" || ending === "ndjson") return "jsonl";
  if (ending === "csv") return "csv";
  return ending === "parquet" ? "parquet" : "whole";
}

/** What a row of the card takes, to the name that it has in a file. */
export type ColumnNames = Readonly<Record<string, string>>;

export interface FileColumns {
  /** As the first record has them. */
  readonly has: readonly string[];
  readonly needs: readonly string[];
}

/** @returns null where the file has what the card's rows take, by these names or the card's own. @throws DNT_FILE_UNREADABLE */
export async function columnsToName(
  { row }: Pick<Card, "row">,
  format: FileFormat,
  content: Uint8Array,
  names: ColumnNames = {},
): Promise<FileColumns | null> {
  if (format === "whole" || format === "lines") return null;
  const [first] = await recordsOf(format, content);
  if (first === undefined) return null;
  const has = Object.keys(first);
  const isThere = (name: string) => has.includes(names[name] ?? name);
  const needs = neededBy(row, isThere("text"));
  return needs.every(isThere) ? null : { has, needs };
}

function neededBy({ fields, kind }: Card["row"], hasText: boolean): readonly string[] {
  if (kind === "json") return fields.map(({ name }) => name);
  if (kind === "email") return ["label", "text"];
  if (kind === "digit") return ["label", "pixels"];
  return kind === "passage" && !hasText ? ["prompt", "answer"] : ["text"];
}

/** @param names of columns that are called otherwise than the card has it. @throws DNT_FILE_UNREADABLE, ATT_ROW_INVALID */
export async function readRowsOf(
  card: Pick<Card, "row">,
  format: FileFormat,
  content: Uint8Array,
  names: ColumnNames = {},
): Promise<Uint8Array[]> {
  if (format === "whole")
    return [card.row.kind === "passage" ? encodeTextRow({ text: textOf(content) }) : content];
  if (format === "lines") {
    const lines = textOf(content).split(/\r?\n/);
    return lines
      .filter((line) => line !== "")
      .map((line) =>
        card.row.kind === "passage" ? encodeTextRow({ text: line }) : new TextEncoder().encode(line),
      );
  }
  const records = await recordsOf(format, content);
  const renamed = Object.entries(names);
  return records.map((record, i) => {
    const own = Object.fromEntries(renamed.map(([name, column]) => [name, record[column]]));
    return rowOf(card, { ...record, ...own }, i + 1);
  });
}

type FileRecord = Readonly<Record<string, unknown>>;

async function recordsOf(format: "jsonl" | "csv" | "parquet", content: Uint8Array): Promise<FileRecord[]> {
  if (format === "parquet") return parquetRecords(content);
  const text = textOf(content);
  if (format === "csv") {
    const [names, ...lines] = parseCsv(text);
    if (names === undefined) return [];
    return lines.map((fields) => Object.fromEntries(names.map((name, i) => [name, fields[i]])));
  }
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw unreadable(i + 1, "it is not JSON", cause);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw unreadable(i + 1, "it is no object");
    return [value as FileRecord];
  });
}

/** hyparquet reads what is plain or packed by Snappy, and refuses the rest. */
async function parquetRecords(content: Uint8Array): Promise<FileRecord[]> {
  const { parquetReadObjects } = await import("hyparquet");
  const bytes = new Uint8Array(content).buffer;
  try {
    return (await parquetReadObjects({ file: bytes })) as FileRecord[];
  } catch (cause) {
    throw unreadable(0, `it cannot be read as Parquet: ${(cause as Error).message}`, cause);
  }
}

/** A record in the card's form. @param line for the error, from 1 on */
function rowOf({ row }: Pick<Card, "row">, record: FileRecord, line: number): Uint8Array {
  const textField = (name: string) => {
    const value = record[name];
    if (typeof value !== "string") throw unreadable(line, `it has no text "${name}"`);
    return value;
  };
  switch (row.kind) {
    case "email":
    case "digit": {
      const label = labelsOf(row.kind).indexOf(String(record.label));
      if (label < 0) throw unreadable(line, `its label is none of ${labelsOf(row.kind).join(", ")}`);
      return encodeRow(row.kind, { label, input: textField(row.kind === "email" ? "text" : "pixels") });
    }
    case "text":
      return new TextEncoder().encode(textField("text"));
    case "passage":
      return record.text === undefined
        ? encodeTextRow({ prompt: textField("prompt"), answer: textField("answer") })
        : encodeTextRow({ text: textField("text") });
    case "json": {
      const fields = row.fields.map(({ name, type }) => [name, fieldOf(record[name], type, name, line)]);
      return new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
    }
    case "image":
      throw unreadable(line, "images come as files, one a row");
    default:
      return row.kind satisfies never;
  }
}

/** CSV has texts alone, and Parquet wide integers. */
function fieldOf(
  value: unknown,
  type: "text" | "number" | "boolean",
  name: string,
  line: number,
): string | number | boolean {
  const wrong = () => unreadable(line, `"${name}" is no ${type}`);
  if (type === "text") {
    if (typeof value !== "string") throw wrong();
    return value;
  }
  if (type === "boolean") {
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw wrong();
  }
  const isNumeral = typeof value === "string" && /^-?(\d+)(\.\d+)?([eE][-+]?\d+)?$/.test(value);
  const number =
    typeof value === "number" ? value : typeof value === "bigint" || isNumeral ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw wrong();
  return number;
}

function textOf(content: Uint8Array): string {
  const text = utf8(content);
  if (text === null) throw unreadable(0, "it is no UTF-8");
  return text;
}

const unreadable = (line: number, why: string, cause?: unknown) =>
  datanetError("DNT_FILE_UNREADABLE", `record ${line}: ${why}`, { data: { line, why }, cause });
