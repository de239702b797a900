/** Reads people's files as one table by their formats, within limits. Runs in Node and in a page's worker. */
import { lineWithoutFeed, textOfFile } from "@openledger/foundation/utf8";
import type { Cell } from "./cell.ts";
import { describeColumns, type FileRecord, type FileTable, type ReadFile } from "./file-table.ts";
import { ImportBudget, type ImportFile, type ImportLimits, requireFormat } from "./import-file.ts";
import { type CsvSettings, readCsv } from "./read-csv.ts";
import { readJson, readJsonLines } from "./read-json.ts";
import { readParquet } from "./read-parquet.ts";
import { type Place, type Refusal, refusalOf, unreadable } from "./refusal.ts";

export interface ReadSettings extends CsvSettings {
  readonly limits?: Partial<ImportLimits>;
}

/** Column of files that are texts, and of texts' parts. */
const TEXT_COLUMN = "text";
/** Columns of pictures: the file's bytes, and the folder that it lies in. */
export const PICTURE_COLUMN = "image";
export const FOLDER_COLUMN = "folder";

/**
 * Reads files as a table whose columns are those of all of them. A file that cannot be read is refused as a whole, in
 * the table's list.
 */
export async function readFiles(
  files: readonly ImportFile[],
  settings: ReadSettings = {},
): Promise<FileTable> {
  const budget = new ImportBudget(settings.limits);
  const columns = new Set<string>();
  const records: FileRecord[] = [];
  const refused: Refusal[] = [];
  const notices: string[] = [];
  for (const file of files) {
    const place = { file: file.name, line: 0 };
    try {
      const read = await readOne(file, settings, budget);
      for (const name of read.columns) columns.add(name);
      for (const record of read.records) records.push(record);
      for (const refusal of read.refused) refused.push(refusal);
      notices.push(...read.notices);
      if (read.records.length + read.refused.length === 0)
        refused.push(refusalOf(unreadable(place, "it has no rows"), place));
    } catch (error) {
      refused.push(refusalOf(error, place));
    }
  }
  return { columns: describeColumns([...columns], records), records, refused, notices };
}

async function readOne(file: ImportFile, settings: ReadSettings, budget: ImportBudget): Promise<ReadFile> {
  const { content, name } = file;
  const format = requireFormat(file);
  if (content.length === 0) return table([]);
  budget.takeBytes(name, content.length);
  switch (format) {
    case "parquet":
      return readParquet(content, name, budget);
    case "image":
      return table([pictureOf(file)]);
    case "csv":
      return readCsv(textOf(file), name, settings, budget);
    case "tsv":
      return readCsv(textOf(file), name, { ...settings, separator: "\t" }, budget);
    case "json":
      return readJson(textOf(file), name, budget);
    case "jsonl":
      return readJsonLines(textOf(file), name, budget);
    case "whole":
      return table([textRecord({ file: name, line: 0 }, textOf(file))]);
    case "lines":
      return partsOf(file, /\r?\n/, budget);
    case "paragraphs":
      return partsOf(file, /\r?\n(?:[ \t]*\r?\n)+/, budget);
    default:
      return format satisfies never;
  }
}

/** Parts of a text between the separators, each with the line that it begins on. */
function partsOf(file: ImportFile, between: RegExp, budget: ImportBudget): ReadFile {
  const text = textOf(file);
  const unfinished = lineWithoutFeed(text);
  if (unfinished !== null)
    throw unreadable({ file: file.name, line: unfinished }, "a line ends without a line feed");
  const records: FileRecord[] = [];
  let line = 1;
  // Separators are parts, too, so that their lines are counted.
  for (const [i, part] of text.split(new RegExp(`(${between.source})`)).entries()) {
    if (i % 2 === 0 && part.trim() !== "")
      records.push(textRecord({ file: file.name, line }, part.replace(/[\r\n]+$/, "")));
    line += part.split("\n").length - 1;
  }
  budget.takeRecords(file.name, records.length);
  return table(records);
}

const textRecord = (place: Place, text: string): FileRecord => ({
  ...place,
  values: new Map([[TEXT_COLUMN, text]]),
});

function pictureOf({ content, name }: ImportFile): FileRecord {
  const folder = name.split(/[/\\]/).at(-2) ?? null;
  const values = new Map<string, Cell>([[PICTURE_COLUMN, content]]);
  if (folder !== null) values.set(FOLDER_COLUMN, folder);
  return { file: name, line: 0, values };
}

/** A table of records that all have the columns of the first. */
const table = (records: readonly FileRecord[]): ReadFile => ({
  columns: [...(records[0]?.values.keys() ?? [])],
  records,
  refused: [],
  notices: [],
});

function textOf({ content, name }: ImportFile): string {
  try {
    return textOfFile(content);
  } catch (cause) {
    throw unreadable({ file: name, line: 0 }, "it is no UTF-8", cause);
  }
}
