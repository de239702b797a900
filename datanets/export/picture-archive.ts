/**
 * Pictures of a version as a zip file: each as a file of its bytes, with a table that names them. The layout is that of ImageFolder
 * of the library "datasets", or that of Label Studio's tasks with local files. `readImport` reads both.
 */

import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import type { Card } from "../card/card.ts";
import { type ExportedRow, exportColumns, labelStudioOf, notedColumnsOf } from "./exported-rows.ts";
import { pictureNames } from "./picture-names.ts";

type CardRows = Pick<Card, "row" | "labels">;

/** Table of an archive. */
export type PictureTable = "metadata.csv" | "tasks.json";

/** Time of every entry, in the machine's time zone, which the format does not store: equal rows make an equal file. */
const ENTRY_TIME = () => new Date(2000, 0, 1);

/**
 * Writes the rows' pictures with a table.
 * @param table `metadata.csv` beside the pictures, or Label Studio's tasks, which name files of a local storage
 */
export async function pictureArchiveOf(
  card: CardRows,
  rows: readonly ExportedRow[],
  table: PictureTable,
): Promise<Uint8Array<ArrayBuffer>> {
  const { configure, TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import(
    "@zip.js/zip.js"
  );
  // A page's policy forbids the workers that the library would make of a text.
  configure({ useWebWorkers: false });
  const names = pictureNames(rows);
  const archive = new ZipWriter(new Uint8ArrayWriter(), {
    extendedTimestamp: false,
    lastModDate: ENTRY_TIME(),
  });
  const text = table === "metadata.csv" ? metadataOf(card, rows, names) : tasksOf(card, rows, names);
  await archive.add(table, new TextReader(text));
  // Pictures are compressed already.
  for (const [i, { content }] of rows.entries())
    await archive.add(
      `${table === "metadata.csv" ? "" : FOLDER}${names[i]!}`,
      new Uint8ArrayReader(contentOfRow(content)),
      { level: 0 },
    );
  return new Uint8Array(await archive.close());
}

/** Folder of the pictures beside Label Studio's tasks. */
const FOLDER = "images/";

/** Table with a line for each picture: its file's name, then the export's columns without the bytes. */
function metadataOf(card: CardRows, rows: readonly ExportedRow[], names: readonly string[]): string {
  const columns = exportColumns(card, notedColumnsOf(card, rows)).filter(({ type }) => type !== "picture");
  const head = ["file_name", ...columns.map(({ name }) => name)];
  const lines = rows.map((row, i) => [names[i]!, ...columns.map(({ read }) => csvValue(read(row)))]);
  return [head.map(csvText), ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

function csvValue(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? csvText(value) : String(value);
}

/** A text in quotes where it needs them (RFC 4180); two quotes are an empty text, and nothing is a missing one. */
const csvText = (text: string) =>
  text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** Label Studio serves files below its local storage's root by this address. https://labelstud.io/guide/storage_local */
function tasksOf(card: CardRows, rows: readonly ExportedRow[], names: readonly string[]): string {
  const addresses = new Map(rows.map((row, i) => [row, `/data/local-files/?d=${FOLDER}${names[i]!}`]));
  return labelStudioOf(card, rows, (row) => addresses.get(row)!);
}
