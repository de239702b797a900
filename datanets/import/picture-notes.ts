/** Notes of pictures: names of their files, and values of columns that neither a row nor its label takes. */
import {
  MAX_NOTE_CHARACTERS,
  MAX_NOTED_VALUES,
  notesProblem,
  type RowNotes,
} from "@openledger/attribution/rows/noted-rows";
import { isStorableText } from "@openledger/foundation/database/storable-text";
import { Numeral } from "@openledger/foundation/exact-json";
import { ORIGINAL_NAME_COLUMN } from "../export/exported-rows.ts";
import { type Cell, ClassLabel } from "./cell.ts";
import type { Decisions, Reading } from "./decision.ts";
import type { FileRecord, FileTable } from "./file-table.ts";
import { PICTURE_COLUMN } from "./join-pictures.ts";
import { columnOf, folderColumnOf, type ImportMapping, unusedColumns } from "./mapping.ts";

export interface PictureNotes {
  /** Columns whose values are in the notes. */
  readonly columns: readonly string[];
  /** null for a record without notes. */
  notesOf(record: FileRecord): RowNotes | null;
}

const NONE: PictureNotes = { columns: [], notesOf: () => null };
/** Columns that an export of a Datanet adds to a card's: they say whose a row was, and not what it is. */
const OF_EXPORTS: readonly string[] = ["contributor", "validator", "sha256"];

/**
 * Decides whether names of files and further columns go with the pictures. Columns of a table that somebody brings beside pictures do,
 * with the names of the files; names alone stay out, as cameras give them.
 */
export function decideNotes(table: FileTable, mapping: ImportMapping, decisions: Decisions): PictureNotes {
  const unused = unusedColumns(table, mapping);
  const isExport = OF_EXPORTS.every((name) => unused.includes(name));
  const column = columnOf(mapping.columns, PICTURE_COLUMN) ?? null;
  // An export names its files by row numbers.
  const fileOf = (record: FileRecord) =>
    isExport ? fileName(record.values.get(ORIGINAL_NAME_COLUMN)) : fileName(pathOf(record, column));
  const columns = notedColumns(
    table,
    unused.filter((name) => !isExport || (!OF_EXPORTS.includes(name) && name !== ORIGINAL_NAME_COLUMN)),
    column,
  );
  const allOf = (record: FileRecord): RowNotes => ({
    file: fileOf(record),
    values: columns.flatMap((name): [string, string][] => {
      const text = noteText(record.values.get(name) ?? null);
      return text === null || text === "" ? [] : [[name, text]];
    }),
  });
  const noted = table.records.filter((record) => notesProblem(allOf(record)) === null);
  const [first] = noted;
  if (first === undefined) return NONE;
  const { file, values } = allOf(first);
  const named = columns.map((name) => `"${name}"`).join(", ");
  const what = columns.length === 0 ? "the name of its file" : `the name of its file, ${named}`;
  const readings: [Reading, Reading] = [
    { name: "notes", text: `notes of the picture, for everybody who reads the row: ${what}` },
    { name: "left-out", text: `left out: a row is the picture, without ${what}` },
  ];
  if (columns.length === 0) readings.reverse();
  const reading = decisions.decide({
    ...{ kind: "columns-left-out", file: null, column: null, cells: noted.length, isUnclear: false },
    seen: file ?? values[0]![1],
    readings,
  });
  if (reading === "left-out") return NONE;
  return {
    columns,
    notesOf(record) {
      const notes = allOf(record);
      return notesProblem(notes) === null ? notes : null;
    },
  };
}

/** Path of a picture: of the file that a record is, else the one that a hub's data set has beside the bytes. */
function pathOf({ file, line, values }: FileRecord, column: string | null): unknown {
  if (line === 0) return file;
  return (values.get(column ?? "") as { readonly path?: unknown } | null | undefined)?.path;
}

function fileName(path: unknown): string | null {
  const name = typeof path === "string" ? path.split(/[/\\]/).at(-1)! : "";
  return name !== "" && notesProblem({ file: name, values: [] }) === null ? name : null;
}

/** Columns whose values are all short texts, without the folder and those that name the files. */
function notedColumns(
  table: FileTable,
  unused: readonly string[],
  pictureColumn: string | null,
): readonly string[] {
  const folder = folderColumnOf(table);
  const files = table.records.map((record) => fileName(pathOf(record, pictureColumn)));
  const isNoted = (name: string) => {
    if (name === folder || !isName(name)) return false;
    const texts = table.records.map(({ values }) => noteText(values.get(name) ?? null));
    if (texts.includes(null)) return false;
    return !table.records.every((_, i) => texts[i] === "" || fileName(texts[i]) === files[i]);
  };
  return unused.filter(isNoted).slice(0, MAX_NOTED_VALUES);
}

const isName = (name: string) => notesProblem({ file: null, values: [[name, "…"]] }) === null;

/** Text of a cell; empty for a missing one, null for what is no short text. */
function noteText(cell: Cell): string | null {
  if (cell === null) return "";
  const isPlain =
    typeof cell === "string" ||
    typeof cell === "boolean" ||
    typeof cell === "bigint" ||
    (typeof cell === "number" && Number.isFinite(cell)) ||
    cell instanceof Numeral ||
    cell instanceof ClassLabel;
  if (!isPlain) return null;
  const text = String(cell);
  return text.length <= MAX_NOTE_CHARACTERS && isStorableText(text) ? text : null;
}
