/**
 * Rows of a version as people's tools take them: columns of the card with the accepted label, as JSON lines and as Label
 * Studio's JSON. Parquet is in parquet-export.ts. The export command and the pages' download call them.
 */

import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { base64Of } from "@openledger/attribution/rows/row-content";
import { contentOfRow, notesOfRow } from "@openledger/attribution/rows/salted-rows";
import { decodeTableRow, type FieldValue } from "@openledger/attribution/rows/table-rows";
import { type ChatMessage, decodeTextRow } from "@openledger/attribution/rows/text-rows";
import type { Card } from "../card/card.ts";
import { utf8 } from "../rows/row-view.ts";

export interface ExportedRow {
  readonly content: Uint8Array;
  /** Accepted label; null for none. */
  readonly label: string | null;
  /** SHA-256 of the content, 64 hexadecimal digits. */
  readonly digest: string;
  readonly contributorId: number;
  readonly validatorId: number;
}

/** Types of an export's columns. */
export type ExportType = "number" | "integer" | "text" | "boolean" | "picture" | "messages";

export interface ExportColumn {
  readonly name: string;
  readonly type: ExportType;
  readonly description: string;
  /** Role of a column that is none of the card's fields. */
  readonly role?: "label" | "owner" | "hash" | "note";
  /** Value of a row; null for a missing one. Bytes of a picture. */
  read(row: ExportedRow): FieldValue | Uint8Array | readonly ChatMessage[];
}

type CardRows = Pick<Card, "row" | "labels">;

/** Column with the names that contributors had for pictures: an export names its own files by row numbers. */
export const ORIGINAL_NAME_COLUMN = "original_file_name";
/** Maximum columns of notes in an export: those that most rows have. */
const MAX_NOTED_COLUMNS = 50;

/** Columns of the notes of a version's pictures (attribution/rows/noted-rows.ts). */
export interface NotedColumns {
  /** Whether a picture has the name of its file. */
  readonly hasFiles: boolean;
  readonly names: readonly string[];
}

/** Returns the columns of rows' notes, in the order in which they come; of more than 50 those that most rows have. */
export function notedColumnsOf(
  { row }: CardRows,
  rows: readonly Pick<ExportedRow, "content">[],
): NotedColumns {
  if (row.kind !== "image") return { hasFiles: false, names: [] };
  const counts = new Map<string, number>();
  let hasFiles = false;
  for (const { content } of rows) {
    const { file = null, values = [] } = notesOfRow(content) ?? {};
    hasFiles ||= file !== null;
    for (const [name] of values) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const commonest = [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_NOTED_COLUMNS);
  const names = new Set(commonest.map(([name]) => name));
  return { hasFiles, names: [...counts.keys()].filter((name) => names.has(name)) };
}

/**
 * Returns the columns of a card's rows: its fields, then label, contributor, validator and hash, then notes of pictures, which get an
 * underscore where another has their name. A row that is none of the card's has null in each of the card's columns.
 * @param noted notes of the rows (`notedColumnsOf`)
 */
export function exportColumns(card: CardRows, noted: NotedColumns): readonly ExportColumn[] {
  const columns = [...contentColumns(card)];
  const add = (column: ExportColumn) => {
    let { name } = column;
    while (columns.some((other) => other.name === name)) name += "_";
    columns.push({ ...column, name });
  };
  if (card.labels.length > 0)
    add({
      name: "label",
      type: "text",
      description: "accepted label",
      role: "label",
      read: ({ label }) => label,
    });
  add({
    name: "contributor",
    type: "integer",
    description: "leaf that contributed the row",
    role: "owner",
    read: ({ contributorId }) => contributorId,
  });
  add({
    name: "validator",
    type: "integer",
    description: "leaf that vouches for the row",
    role: "owner",
    read: ({ validatorId }) => validatorId,
  });
  add({
    name: "sha256",
    type: "text",
    description: "hash of the row's bytes",
    role: "hash",
    read: ({ digest }) => digest,
  });
  if (noted.hasFiles)
    add({
      name: ORIGINAL_NAME_COLUMN,
      type: "text",
      description: "name of the picture's file, as its contributor had it",
      role: "note",
      read: ({ content }) => notesOfRow(content)?.file ?? null,
    });
  for (const name of noted.names)
    add({
      name,
      type: "text",
      description: "note of the contributor's",
      role: "note",
      read: ({ content }) => notesOfRow(content)?.values.find(([own]) => own === name)?.[1] ?? null,
    });
  return columns;
}

function contentColumns({ row }: CardRows): readonly ExportColumn[] {
  switch (row.kind) {
    case "table":
      return row.fields.map(({ description, name, type }, i) => ({
        name,
        type: type === "number" || type === "boolean" ? type : "text",
        description,
        read: ({ content }) => orNull(() => decodeTableRow(row.fields, content))?.[i] ?? null,
      }));
    case "passage":
      return (["prompt", "answer", "text", "messages"] as const).map((name) => ({
        name,
        type: name === "messages" ? "messages" : "text",
        description: PASSAGE[name],
        read: ({ content }) => {
          const parts = orNull(() => decodeTextRow(content)) as Partial<
            Record<string, string | readonly ChatMessage[]>
          > | null;
          return parts?.[name] ?? null;
        },
      }));
    case "image":
      return [
        {
          name: "image",
          type: "picture",
          description: "the file's bytes",
          read: ({ content }) => contentOfRow(content),
        },
      ];
    default:
      return [
        {
          name: "text",
          type: "text",
          description: "the row",
          read: ({ content }) => utf8(contentOfRow(content)),
        },
      ];
  }
}

const PASSAGE = {
  prompt: "what is asked",
  answer: "the answer to it",
  text: "a text, where the row is no prompt with its answer",
  messages: "a conversation of more than a question and an answer",
} as const;

function orNull<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Value as JSON has it: of a picture an address with its bytes. */
function jsonValue(value: ReturnType<ExportColumn["read"]>): FieldValue | readonly ChatMessage[] {
  if (!(value instanceof Uint8Array)) return value;
  return `data:${pictureTypeOf(value) ?? "application/octet-stream"};base64,${base64Of(value)}`;
}

/** Writes a row a line, with every field and the accepted label. */
export function jsonLinesOf(card: CardRows, rows: readonly ExportedRow[]): string[] {
  const columns = exportColumns(card, notedColumnsOf(card, rows));
  return rows.map((row) => `${objectText(columns, row)}\n`);
}

/** By hand: an object would put names that are whole numbers first. @param pictureAt address in place of a picture's bytes */
const objectText = (
  columns: readonly ExportColumn[],
  row: ExportedRow,
  pictureAt: ((row: ExportedRow) => string) | null = null,
) =>
  `{${columns
    .map(({ name, read, type }) => {
      const value = type === "picture" && pictureAt !== null ? pictureAt(row) : jsonValue(read(row));
      return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
    })
    .join(",")}}`;

/**
 * Writes Label Studio's JSON: a task for each row, and the accepted label as its annotation, by a control named "label".
 * https://labelstud.io/guide/task_format
 * @param pictureAt address of a row's picture; absent: one with its bytes
 */
export function labelStudioOf(
  card: CardRows,
  rows: readonly ExportedRow[],
  pictureAt: ((row: ExportedRow) => string) | null = null,
): string {
  const all = exportColumns(card, notedColumnsOf(card, rows));
  const columns = all.filter(({ role }) => role !== "label");
  const [shown] = columns;
  const tasks = rows.map((row, i) => {
    const id = i + 1;
    const choice = {
      id: `row-${id}`,
      from_name: "label",
      to_name: shown!.name,
      type: "choices",
      origin: "manual",
      value: { choices: [row.label] },
    };
    const annotation = { id, completed_by: 1, result: [choice], was_cancelled: false, ground_truth: false };
    const annotations = row.label === null ? [] : [annotation];
    return `{"id":${id},"data":${objectText(columns, row, pictureAt)},"annotations":${JSON.stringify(annotations)},"predictions":[]}`;
  });
  return `[\n${tasks.join(",\n")}\n]\n`;
}
