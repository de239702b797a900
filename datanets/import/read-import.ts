/**
 * Makes rows with labels of people's files: bytes in the form that a Datanet's card asks for, with one encoding for each
 * row (docs/explanation/datanets.md, "Files"). The contribute command, the page and programs call it.
 */

import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { noteRow } from "@openledger/attribution/rows/noted-rows";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import type { Card } from "../card/card.ts";
import { booleanOfCell, bytesOfCell, type Cell, labelOfCell, numberOfCell, textOfCell } from "./cell.ts";
import { type FieldReaders, fieldReaders } from "./column-readings.ts";
import { type Choices, type Decision, Decisions, joinedQuestions, requireDecided } from "./decision.ts";
import type { FileRecord, FileTable } from "./file-table.ts";
import type { ImportFile } from "./import-file.ts";
import { inField } from "./in-field.ts";
import { PICTURE_COLUMN } from "./join-pictures.ts";
import { type LabelOf, labelReader } from "./label-readings.ts";
import { columnOf, completeMapping, type ImportMapping, missingFields, unusedColumns } from "./mapping.ts";
import { isMissingSpelling } from "./missing-values.ts";
import { type PassageReader, passageReader } from "./passage-rows.ts";
import { decideNotes } from "./picture-notes.ts";
import { pictureMapping } from "./picture-sources.ts";
import { type ReadSettings, readFiles } from "./read-files.ts";
import { type FilePosition, type Refusal, refusalOf, unreadable } from "./refusal.ts";

export interface Imported {
  readonly rows: readonly Uint8Array[];
  /** The contributor's label of each row; null for none. */
  readonly labels: readonly (string | null)[];
  /** Position of each row in its file. */
  readonly places: readonly Omit<FilePosition, "field">[];
  /** Lines and files that make no row. The caller takes the rest, or nothing. */
  readonly refused: readonly Refusal[];
  readonly mapping: ImportMapping;
  /** Columns whose values are in no row. */
  readonly unused: readonly string[];
  readonly notices: readonly string[];
  /** Places where files, columns or labels admit several readings, with the one that was taken. */
  readonly decisions: readonly Decision[];
}

/** Field of a row that is a text. */
const TEXT_FIELDS = [{ name: "text", type: "text" }] as const;

type CardRows = Pick<Card, "row" | "labels">;

/**
 * Reads files as rows of a card.
 * @param mapping how their columns are used, over what their names suggest
 * @throws DNT_FILE_UNREADABLE if a field has no column, naming the columns there are
 */
export async function readImport(
  card: CardRows,
  files: readonly ImportFile[],
  mapping: Partial<ImportMapping> = {},
  settings: ReadSettings = {},
): Promise<Imported> {
  return rowsOfTable(card, await readFiles(files, settings, card.labels), mapping, settings.choices);
}

/** Makes rows of a table, as `readImport` does. @throws DNT_FILE_UNREADABLE */
export function rowsOfTable(
  card: CardRows,
  table: FileTable,
  input: Partial<ImportMapping> = {},
  choices: Choices = {},
): Imported {
  const decisions = new Decisions(choices);
  const completed = completeMapping(card, table, input);
  const proposed = card.row.kind === "image" ? pictureMapping(card, table, completed, decisions) : completed;
  const refused = [...table.refused];
  if (table.records.length > 0) requireColumns(card, table, proposed);
  const passages = card.row.kind === "passage" ? passageReader(table, proposed, decisions) : null;
  const mapping = passages?.mapping ?? proposed;
  const notes = card.row.kind === "image" ? decideNotes(table, mapping, decisions) : null;
  const rows: Uint8Array[] = [];
  const labels: (string | null)[] = [];
  const places: Omit<FilePosition, "field">[] = [];
  const fields = fieldReaders(
    card.row.kind === "text" ? TEXT_FIELDS : card.row.fields,
    (field) => columnOf(mapping.columns, field) ?? null,
    table,
    decisions,
  );
  const labelOf = labelReader(card, table, mapping.label, decisions);
  for (const record of table.records) {
    const { values: _, ...position } = record;
    try {
      const row = rowOf(card, record, mapping, { fields, passages });
      if (row.length > card.row.maxBytes)
        throw unreadable(position, `${row.length} bytes are more than the card's ${card.row.maxBytes}`);
      const label = labelOfRecord(record, mapping, labelOf);
      const noted = notes?.notesOf(record) ?? null;
      labels.push(label);
      rows.push(noted === null ? row : noteRow(row, noted));
      places.push(position);
    } catch (error) {
      refused.push(refusalOf(error, position));
    }
  }
  return {
    rows,
    labels,
    places,
    refused,
    mapping,
    unused: unusedColumns(table, mapping).filter((name) => notes?.columns.includes(name) !== true),
    notices: table.notices,
    decisions: joinedQuestions([...table.decisions, ...decisions.list]),
  };
}

function requireColumns(
  { row }: CardRows,
  { columns, decisions, records }: FileTable,
  mapping: ImportMapping,
): void {
  const { file } = records[0]!;
  const has = columns.map(({ name }) => `"${name}"`).join(", ");
  const unknown = [...Object.values(mapping.columns), mapping.label].find(
    (name) => name !== null && columns.every((column) => column.name !== name),
  );
  const [field] = unknown === undefined ? missingFields(row, mapping) : [];
  if (unknown === undefined && field === undefined) return;
  // Other names of the columns may be the ones.
  requireDecided(decisions.filter(({ kind }) => kind === "first-line"));
  if (unknown !== undefined)
    throw unreadable({ file, line: 0, field: unknown! }, `it has no column "${unknown}", it has ${has}`);
  throw unreadable({ file, line: 0, field: field! }, `which column is "${field}"? It has ${has}`);
}

function labelOfRecord(
  { values, ...position }: FileRecord,
  { label: field }: ImportMapping,
  labelOf: LabelOf,
): string | null {
  if (field === null) return null;
  return inField({ ...position, field }, () => labelOf(labelOfCell(values.get(field) ?? null)));
}

interface RowReaders {
  readonly fields: FieldReaders;
  /** null for rows that are no passages. */
  readonly passages: PassageReader | null;
}

/** A row in the card's form. */
function rowOf(
  { row }: CardRows,
  record: FileRecord,
  mapping: ImportMapping,
  { fields: readers, passages }: RowReaders,
): Uint8Array {
  const { values, ...position } = record;
  const cellOf = (field: string): Cell => {
    const column = columnOf(mapping.columns, field) ?? null;
    return column === null ? null : (values.get(column) ?? null);
  };
  const textField = (field: string) => inField({ ...position, field }, () => textOfCell(cellOf(field)));
  switch (row.kind) {
    case "text": {
      const text = readers.text("text", textField("text")) ?? "";
      if (text.trim() === "") throw unreadable({ ...position, field: "text" }, "it has no text");
      return new TextEncoder().encode(text);
    }
    case "passage":
      return passages!.rowOf(record);
    case "table": {
      const values = row.fields.map(({ name, type }) => {
        const cell = cellOf(name);
        if (cell === null || (cell === "" && type !== "text")) return null;
        return inField({ ...position, field: name }, () => {
          if (type === "number")
            return isMissing(cell) ? null : numberOfCell(cell, readers.digits(name, position.file));
          if (type === "boolean") return isMissing(cell) ? null : booleanOfCell(cell);
          return readers[type](name, textOfCell(cell));
        });
      });
      return encodeTableRow(row.fields, values);
    }
    case "image": {
      const bytes = inField({ ...position, field: PICTURE_COLUMN }, () =>
        bytesOfCell(cellOf(PICTURE_COLUMN)),
      );
      if (pictureTypeOf(bytes) !== null) return bytes;
      throw unreadable(position, "it is no picture: PNG, JPEG, GIF and WebP are read");
    }
    default:
      return row.kind satisfies never;
  }
}

const isMissing = (cell: Cell) => typeof cell === "string" && isMissingSpelling(cell);
