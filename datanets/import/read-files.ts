/** Reads people's files as one table by their formats, within limits. Runs in Node and in a page's worker. */
import { lineWithoutFeed } from "@openledger/foundation/utf8";
import type { Cell } from "./cell.ts";
import { type Choices, Decisions } from "./decision.ts";
import { describeColumns, type FileRecord, type FileTable, type ReadFile } from "./file-table.ts";
import {
  type FileFormat,
  formatOf,
  ImportBudget,
  type ImportFile,
  type ImportLimits,
  requireFormat,
} from "./import-file.ts";
import { joinPictures, type PictureFile } from "./join-pictures.ts";
import { describedFiles } from "./read-croissant.ts";
import { type CsvSettings, readCsv } from "./read-csv.ts";
import { readDocx } from "./read-docx.ts";
import { readJson, readJsonLines } from "./read-json.ts";
import { readMarkdown } from "./read-markdown.ts";
import { readParquet } from "./read-parquet.ts";
import { readPdf } from "./read-pdf.ts";
import { type FilePosition, type Refusal, refusalOf, unreadable } from "./refusal.ts";
import { decodeText } from "./text-encoding.ts";
import { unpackZip } from "./unpack-zip.ts";

export interface ReadSettings extends CsvSettings {
  readonly limits?: Partial<ImportLimits>;
  /** Readings that a person has chosen where the files admit several. */
  readonly choices?: Choices;
}

/** Column of files that are texts, and of texts' parts. */
const TEXT_COLUMN = "text";
/** Columns of pictures: the file's bytes, and the folder that it lies in. */
export const PICTURE_COLUMN = "image";
export const FOLDER_COLUMN = "folder";

/**
 * Reads files as a table whose columns are those of all of them; an archive stands for the files in it. A file that cannot
 * be read is refused as a whole, in the table's list; so is one whose bytes are not those that a Croissant file beside it names.
 * @param labels of the card that the rows are read for: a first line that has one is no line of names
 */
export async function readFiles(
  files: readonly ImportFile[],
  settings: ReadSettings = {},
  labels: readonly { readonly name: string }[] = [],
): Promise<FileTable> {
  const budget = new ImportBudget(settings.limits);
  const decisions = new Decisions(settings.choices);
  const labelNames = new Set(labels.map(({ name }) => name));
  const commaFiles = new Set<string>();
  const tables: ReadFile[] = [];
  const pictures: PictureFile[] = [];
  const refused: Refusal[] = [];
  const described: string[] = [];
  /** Files within the budget: nothing is hashed or read of others. */
  const within = (list: readonly ImportFile[]): ImportFile[] =>
    list.filter((file) => {
      try {
        budget.takeBytes(file.name, file.content.length);
        return true;
      } catch (error) {
        refused.push(refusalOf(error, { file: file.name, line: 0 }));
        return false;
      }
    });
  const readAll = async (list: readonly ImportFile[]): Promise<void> => {
    const { croissants, notices, refused: differing } = describedFiles(list);
    described.push(...notices);
    for (const refusal of differing.values()) refused.push(refusal);
    for (const file of list) if (!croissants.has(file) && !differing.has(file)) await readInto(file);
  };
  const readInto = async (file: ImportFile): Promise<void> => {
    const position = { file: file.name, line: 0 };
    try {
      const format = requireFormat(file);
      if (format === "zip") {
        const unpacked = await unpackZip(file, budget);
        for (const refusal of unpacked.refused) refused.push(refusal);
        // What is in an archive was counted as it was unpacked.
        return readAll(unpacked.files);
      }
      if (format === "image" && file.content.length > 0)
        return void pictures.push({ name: file.name, record: pictureRecord(file) });
      const read = await readOne(file, format, { settings, budget, decisions, labels: labelNames });
      if (read.isCommaSeparated === true) commaFiles.add(file.name);
      tables.push(read);
      if (read.records.length + read.refused.length === 0) throw unreadable(position, "it has no rows");
    } catch (error) {
      refused.push(refusalOf(error, position));
    }
  };
  await readAll(within(files));
  const joined = joinPictures(tables, pictures);
  const isJoined = joined.tables !== tables;
  const all = isJoined ? joined.tables : [...tables, ...pictures.map(({ record }) => tableOf([record]))];
  const columns = new Set<string>();
  const records: FileRecord[] = [];
  const notices = [...described];
  for (const read of all) {
    for (const name of read.columns) columns.add(name);
    for (const record of read.records) records.push(record);
  }
  for (const read of tables) {
    for (const refusal of read.refused) refused.push(refusal);
    notices.push(...read.notices);
  }
  for (const refusal of joined.refused) refused.push(refusal);
  return {
    columns: describeColumns([...columns], records, commaFiles),
    records,
    refused,
    notices,
    decisions: decisions.list,
  };
}

/** What the readers of one import share. */
export interface ReaderContext {
  readonly settings: ReadSettings;
  readonly budget: ImportBudget;
  readonly decisions: Decisions;
  /** Labels of the card that the rows are read for. */
  readonly labels: ReadonlySet<string>;
}

async function readOne(
  file: ImportFile,
  format: Exclude<FileFormat, "zip">,
  context: ReaderContext,
): Promise<ReadFile> {
  const { budget, settings } = context;
  const { content, name } = file;
  if (content.length === 0) return tableOf([]);
  const text = () => decodeText(content, name, context.decisions);
  switch (format) {
    case "parquet":
      return readParquet(content, name, budget);
    case "image":
      return tableOf([pictureRecord(file)]);
    case "csv":
      return readCsv(text(), name, settings, context);
    case "tsv":
      return readCsv(text(), name, { ...settings, separator: "\t" }, context);
    case "xlsx":
      return (await import("./read-xlsx.ts")).readXlsx(file, context);
    case "json":
      return readJson(text(), name, budget);
    case "jsonl":
      return readJsonLines(text(), name, budget);
    case "markdown":
      return readMarkdown(text(), name);
    case "docx":
      return readDocx(file, budget);
    case "pdf":
      return readPdf(file, budget, context.decisions);
    case "whole":
      return tableOf([textRecord({ file: name, line: 0 }, text())]);
    case "lines":
      return partsOf(name, text(), /\r?\n/, budget);
    case "paragraphs":
      return partsOf(name, text(), /\r?\n(?:[ \t]*\r?\n)+/, budget);
    default:
      return format satisfies never;
  }
}

/** Parts of a text between the separators, each with the line that it begins on. */
function partsOf(file: string, text: string, between: RegExp, budget: ImportBudget): ReadFile {
  const unfinished = lineWithoutFeed(text);
  if (unfinished !== null) throw unreadable({ file, line: unfinished }, "a line ends without a line feed");
  const records: FileRecord[] = [];
  let line = 1;
  // Separators are parts, too, so that their lines are counted.
  for (const [i, part] of text.split(new RegExp(`(${between.source})`)).entries()) {
    if (i % 2 === 0 && part.trim() !== "")
      records.push(textRecord({ file, line }, part.replace(/[\r\n]+$/, "")));
    line += part.split("\n").length - 1;
  }
  budget.takeRecords(file, records.length);
  return tableOf(records);
}

const textRecord = (position: FilePosition, text: string): FileRecord => ({
  ...position,
  values: new Map([[TEXT_COLUMN, text]]),
});

/** A picture with the name of its folder; an archive is none. */
function pictureRecord({ content, name }: ImportFile): FileRecord {
  const above = name.split(/[/\\]/).at(-2) ?? null;
  const folder = above === null || formatOf(above) === "zip" ? null : above;
  const values = new Map<string, Cell>([[PICTURE_COLUMN, content]]);
  if (folder !== null) values.set(FOLDER_COLUMN, folder);
  return { file: name, line: 0, values };
}

/** A table of rows that all have the columns of the first. */
const tableOf = (records: readonly FileRecord[]): ReadFile => ({
  columns: [...(records[0]?.values.keys() ?? [])],
  records,
  refused: [],
  notices: [],
});
