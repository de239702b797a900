/** Joins a table that names picture files with these files: a picture's row gets the table's values. */
import type { Cell } from "./cell.ts";
import type { Decisions, Reading } from "./decision.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import { type Refusal, refusalOf, unreadable } from "./refusal.ts";
import { tidyName } from "./twins.ts";

/** Columns of pictures: the file's bytes, and the folder that it lies in. */
export const PICTURE_COLUMN = "image";
export const FOLDER_COLUMN = "folder";
/** Name of the folder's column where a table beside the pictures has another of that name. */
export const FOLDER_OF_FILE = "folder of the file";

/** A picture that a file is. */
export interface PictureFile {
  readonly name: string;
  readonly content: Uint8Array;
  /** Folder that says what it is; null for none. */
  readonly folder: string | null;
}

const folderOf = (name: string) => name.replace(/[^/\\]*$/, "");
const baseOf = (name: string) => name.split(/[/\\]/).at(-1)!;

/** Finds pictures by the path from a folder, else by a name that only one of them has. */
class PictureNames {
  readonly #byName: ReadonlyMap<string, PictureFile>;
  readonly #byBase = new Map<string, PictureFile | null>();

  constructor(pictures: readonly PictureFile[]) {
    this.#byName = new Map(pictures.map((picture) => [picture.name, picture]));
    for (const picture of pictures) {
      const base = baseOf(picture.name);
      this.#byBase.set(base, this.#byBase.has(base) ? null : picture);
    }
  }

  find({ file, values }: FileRecord, column: string): PictureFile | null {
    const path = values.get(column);
    if (typeof path !== "string" || path === "") return null;
    return this.#byName.get(folderOf(file) + path) ?? this.#byBase.get(baseOf(path)) ?? null;
  }
}

/** Lines of tables by the pictures that they name. */
interface Lines {
  readonly byPicture: Map<PictureFile, ReadonlyMap<string, Cell>>;
  /** Pictures that only a column names that was not chosen. */
  readonly left: Set<PictureFile>;
  readonly columns: Set<string>;
  readonly files: string[];
  readonly refused: Refusal[];
}

/**
 * Returns the tables without those that name the pictures, and the pictures with the values of their lines. A line whose
 * picture is not there, or has another line, is refused.
 */
export function joinPictures(
  tables: readonly ReadFile[],
  pictures: readonly PictureFile[],
  decisions: Decisions,
): { readonly tables: readonly ReadFile[]; readonly refused: readonly Refusal[] } {
  if (pictures.length === 0) return { tables, refused: [] };
  const names = new PictureNames(pictures);
  const lines: Lines = {
    ...{ byPicture: new Map(), left: new Set(), columns: new Set(), files: [], refused: [] },
  };
  const others = tables.filter((table) => !takeLines(table, names, lines, decisions));
  const folderColumn = lines.columns.has(FOLDER_COLUMN) ? FOLDER_OF_FILE : FOLDER_COLUMN;
  const reading = lines.files.length === 0 ? null : decideLineless(pictures, lines, decisions);
  const records = pictures.flatMap((picture): FileRecord[] => {
    const line = lines.byPicture.get(picture);
    if (lines.left.has(picture) || (line === undefined && reading?.name === "left-out")) return [];
    const values = new Map<string, Cell>([[PICTURE_COLUMN, picture.content]]);
    if (picture.folder !== null) values.set(folderColumn, picture.folder);
    for (const [name, cell] of line ?? []) values.set(name, cell);
    if (line === undefined && reading?.name === "folder")
      for (const name of reading.columns) values.set(name, picture.folder);
    return [{ file: picture.name, line: 0, values }];
  });
  const columns = new Set(records.flatMap(({ values }) => [...values.keys()]));
  const joined = { columns: [...columns, ...lines.columns], records, refused: [], notices: [] };
  return {
    tables: [...others, { ...joined, columns: [...new Set(joined.columns)] }],
    refused: lines.refused,
  };
}

/** Takes a table's lines if they name pictures, and returns whether they do. */
function takeLines(table: ReadFile, names: PictureNames, lines: Lines, decisions: Decisions): boolean {
  const column = namingColumn(table, names, decisions);
  if (column === null) return false;
  const nameOf = (name: string) => (name === PICTURE_COLUMN ? `${name} (table)` : name);
  const own = table.columns.filter((name) => name !== column.name || name !== PICTURE_COLUMN);
  for (const name of own) lines.columns.add(nameOf(name));
  lines.files.push(table.records[0]!.file);
  for (const record of table.records) {
    const { values, ...position } = record;
    const picture = names.find(record, column.name);
    if (picture === null || lines.byPicture.has(picture)) {
      const path = JSON.stringify(String(values.get(column.name) ?? null)).slice(0, 100);
      const why =
        picture === null
          ? `its picture ${path} is not among the files`
          : `its picture ${picture.name} has a line already`;
      lines.refused.push(refusalOf(unreadable({ ...position, field: column.name }, why), position));
      continue;
    }
    const cells = own.map((name) => [nameOf(name), values.get(name) ?? null] as const);
    lines.byPicture.set(picture, new Map(cells));
  }
  for (const record of table.records)
    for (const other of column.others) {
      const picture = names.find(record, other);
      if (picture !== null && !lines.byPicture.has(picture)) lines.left.add(picture);
    }
  return true;
}

/** Share of a table's lines whose picture a column names, from which on it is one of two that may. */
const NAMING_SHARE = 0.5;

/** Finds the column that names the pictures; of several that name others, a person chooses. */
function namingColumn(
  { columns, records }: ReadFile,
  names: PictureNames,
  decisions: Decisions,
): { readonly name: string; readonly others: readonly string[] } | null {
  const found = columns
    .map((name) => ({ name, pictures: records.map((record) => names.find(record, name)) }))
    .map((one) => ({ ...one, count: one.pictures.filter((picture) => picture !== null).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  const [best, ...more] = found;
  if (best === undefined) return null;
  const rivals = more.filter(
    ({ count, pictures }) =>
      count >= NAMING_SHARE * records.length &&
      pictures.some((picture, i) => picture !== null && picture !== best.pictures[i]),
  );
  if (rivals.length === 0) return { name: best.name, others: [] };
  const all = [best, ...rivals].map(({ name }) => name);
  const { file, values } = records[0]!;
  const name = decisions.decide({
    ...{ kind: "picture-column", file, column: null, cells: records.length, isUnclear: true },
    seen: all.map((one) => String(values.get(one) ?? "")).join(", "),
    readings: all.map(
      (one): Reading => ({ name: one, text: `a row is the picture that "${one}" names, and no other` }),
    ) as [Reading],
  });
  return { name, others: all.filter((one) => one !== name) };
}

/** Decides what pictures without a line are; null if there are none. */
function decideLineless(
  pictures: readonly PictureFile[],
  { byPicture, files, left }: Lines,
  decisions: Decisions,
): { readonly name: string; readonly columns: readonly string[] } | null {
  const without = pictures.filter((picture) => !byPicture.has(picture) && !left.has(picture));
  const [first] = without;
  if (first === undefined) return null;
  const columns = without.some(({ folder }) => folder !== null) ? columnsOfFolders(byPicture) : [];
  const name = decisions.decide({
    ...{ kind: "label-source", file: files[0]!, column: null, cells: without.length, seen: first.name },
    readings: [
      { name: "no-label", text: "a row without a label: no line of the table names it" },
      ...(columns.length > 0 ? [{ name: "folder", text: "a row with the label of its folder" }] : []),
      { name: "left-out", text: "left out: no line of the table names it" },
    ],
    isUnclear: true,
  });
  return { name, columns };
}

/** Columns whose values are the folders of most pictures. */
function columnsOfFolders(byPicture: ReadonlyMap<PictureFile, ReadonlyMap<string, Cell>>): readonly string[] {
  const counts = new Map<string, number>();
  const formOf = (text: string) => tidyName(text).toLowerCase();
  for (const [{ folder }, cells] of byPicture)
    for (const [name, cell] of cells)
      if (folder !== null && typeof cell === "string" && formOf(cell) === formOf(folder))
        counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].flatMap(([name, count]) => (2 * count >= byPicture.size ? [name] : []));
}
