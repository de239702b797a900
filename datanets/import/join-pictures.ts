/** Joins a table that names picture files with these files: a picture's row gets the table's values. */
import type { Cell } from "./cell.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import { type Refusal, refusalOf, unreadable } from "./refusal.ts";

/** A picture that a file is, by the file's name. */
export interface PictureFile {
  readonly name: string;
  readonly record: FileRecord;
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

  find(folder: string, path: Cell): PictureFile | null {
    if (typeof path !== "string" || path === "") return null;
    return this.#byName.get(folder + path) ?? this.#byBase.get(baseOf(path)) ?? null;
  }
}

/**
 * Returns the tables without those that name the pictures, and the pictures with the values of their lines. A line whose
 * picture is not there, or has another line, is refused.
 */
export function joinPictures(
  tables: readonly ReadFile[],
  pictures: readonly PictureFile[],
): { readonly tables: readonly ReadFile[]; readonly refused: readonly Refusal[] } {
  if (pictures.length === 0 || tables.length === 0) return { tables, refused: [] };
  const names = new PictureNames(pictures);
  const values = new Map<PictureFile, ReadonlyMap<string, Cell>>();
  const refused: Refusal[] = [];
  const columns = new Set<string>();
  const others = tables.filter(({ columns: own, records }) => {
    const column = own.find((name) =>
      records.some(({ file, values: cells }) => names.find(folderOf(file), cells.get(name) ?? null) !== null),
    );
    if (column === undefined) return true;
    for (const name of own) columns.add(name);
    for (const { values: cells, ...position } of records) {
      const path = cells.get(column) ?? null;
      const picture = names.find(folderOf(position.file), path);
      const why =
        picture === null
          ? `its picture ${JSON.stringify(String(path)).slice(0, 100)} is not among the files`
          : `its picture ${picture.name} has a line already`;
      if (picture === null || values.has(picture))
        refused.push(refusalOf(unreadable({ ...position, field: column }, why), position));
      else values.set(picture, cells);
    }
    return false;
  });
  if (others.length === tables.length) return { tables, refused };
  const records = pictures.map((picture) => ({
    ...picture.record,
    values: new Map([...(values.get(picture) ?? []), ...picture.record.values]),
  }));
  const own = pictures.flatMap(({ record }) => [...record.values.keys()]);
  const joined = { columns: [...new Set([...own, ...columns])], records, refused: [], notices: [] };
  return { tables: [...others, joined], refused };
}
