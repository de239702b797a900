/** Reads people's files as one table by their formats, within limits. Runs in Node and in a page's worker. */
import { type Choices, Decisions } from "./decision.ts";
import { describeColumns, type FileRecord, type FileTable, type ReadFile } from "./file-table.ts";
import {
  type FileFormat,
  ImportBudget,
  type ImportFile,
  type ImportLimits,
  isSystemFile,
  requireFormat,
} from "./import-file.ts";
import { joinPictures } from "./join-pictures.ts";
import { pictureFolders } from "./picture-folders.ts";
import { describedFiles } from "./read-croissant.ts";
import { type CsvSettings, readCsv } from "./read-csv.ts";
import { readDocx } from "./read-docx.ts";
import { readJson, readJsonLines } from "./read-json.ts";
import { readMarkdown } from "./read-markdown.ts";
import { readParquet } from "./read-parquet.ts";
import { readPdf } from "./read-pdf.ts";
import { readText } from "./read-text.ts";
import { type Refusal, refusalOf, unreadable } from "./refusal.ts";
import { decodeText } from "./text-encoding.ts";
import { readToolTable } from "./tool-exports.ts";
import { unpackZip } from "./unpack-zip.ts";

export interface ReadSettings extends CsvSettings {
  readonly limits?: Partial<ImportLimits>;
  /** Readings that a person has chosen where the files admit several. */
  readonly choices?: Choices;
}

/** Texts whose ending does not say what a row is: an e-mail is one. */
const IS_PLAIN_TEXT = /\.(txt|text)$/i;
/** Text files from which on each is a row. */
const MANY_TEXTS = 4;

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
  const separators = new Map<string, string>();
  const tables: ReadFile[] = [];
  const pictures: ImportFile[] = [];
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
    const isOneOfMany = list.filter(({ name }) => IS_PLAIN_TEXT.test(name)).length >= MANY_TEXTS;
    for (const file of list)
      if (!croissants.has(file) && !differing.has(file)) await readInto(file, isOneOfMany);
  };
  const readInto = async (file: ImportFile, isOneOfMany: boolean): Promise<void> => {
    const position = { file: file.name, line: 0 };
    try {
      const format = requireFormat(file);
      if (format === "zip") {
        const unpacked = await unpackZip(file, budget);
        for (const refusal of unpacked.refused) refused.push(refusal);
        // What is in an archive was counted as it was unpacked.
        return readAll(unpacked.files);
      }
      if (file.content.length === 0) throw unreadable(position, "it has no rows");
      if (format === "image") return void pictures.push(file);
      const read = await readOne(file, format, {
        settings,
        budget,
        decisions,
        labels: labelNames,
        isOneOfMany,
      });
      if (read.separator !== undefined) separators.set(file.name, read.separator);
      tables.push(read);
      if (read.records.length + read.refused.length === 0) throw unreadable(position, "it has no rows");
    } catch (error) {
      refused.push(refusalOf(error, position));
    }
  };
  await readAll(within(files.filter(({ name }) => !isSystemFile(name))));
  const folders = pictureFolders(
    pictures.map(({ name }) => name),
    labelNames,
    decisions,
  );
  const placed = pictures.map((file, i) => ({ ...file, folder: folders[i]! }));
  const joined = joinPictures(tables, placed, decisions);
  const columns = new Set<string>();
  const records: FileRecord[] = [];
  const notices = [...described];
  for (const read of joined.tables) {
    for (const name of read.columns) columns.add(name);
    for (const record of read.records) records.push(record);
  }
  for (const read of tables) {
    for (const refusal of read.refused) refused.push(refusal);
    notices.push(...read.notices);
  }
  for (const refusal of joined.refused) refused.push(refusal);
  return {
    columns: describeColumns([...columns], records, separators),
    records,
    refused,
    notices,
    decisions: decisions.list,
  };
}

/** Settings, budget and decisions that the readers of one import share. */
export interface ReaderContext {
  readonly settings: ReadSettings;
  readonly budget: ImportBudget;
  readonly decisions: Decisions;
  /** Labels of the card that the rows are read for. */
  readonly labels: ReadonlySet<string>;
  /** True for a file among several texts: each is a row. */
  readonly isOneOfMany: boolean;
}

async function readOne(
  file: ImportFile,
  format: Exclude<FileFormat, "zip" | "image">,
  context: ReaderContext,
): Promise<ReadFile> {
  const { budget, decisions, settings } = context;
  const { content, name } = file;
  const text = () => decodeText(content, name, decisions);
  switch (format) {
    case "parquet":
      return readToolTable(await readParquet(content, name, context), name, decisions);
    case "csv":
      return readToolTable(readCsv(text(), name, settings, context), name, decisions);
    case "tsv":
      return readToolTable(readCsv(text(), name, { ...settings, separator: "\t" }, context), name, decisions);
    case "xlsx": {
      const { readXlsx } = await import("./read-xlsx.ts");
      return readToolTable(await readXlsx(file, context), name, decisions);
    }
    case "json":
      return readJson(text(), name, budget, decisions);
    case "jsonl":
      return readJsonLines(text(), name, budget, decisions);
    case "markdown":
      return readMarkdown(text(), name);
    case "docx":
      return readDocx(file, budget);
    case "pdf":
      return readPdf(file, budget, decisions);
    case "whole":
    case "lines":
    case "paragraphs": {
      const isNamed = file.format !== undefined || !IS_PLAIN_TEXT.test(name);
      const { isOneOfMany } = context;
      return readText(
        { text: text(), file: name, unit: isNamed ? format : null, isOneOfMany },
        budget,
        decisions,
      );
    }
    default:
      return format satisfies never;
  }
}
