/**
 * Reads people's files as rows of a Datanet without a card: the files' formats say what a row is. It is `readImport` with the card's
 * part filled in.
 */
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { MAX_ROW_BYTES } from "@openledger/attribution/rows/row-content";
import type { RowKind } from "@openledger/attribution/rows/row-kinds";
import { joinedQuestions, mergedDecisions } from "./decision.ts";
import { type FileFormat, type ImportFile, isSystemFile, requireFormat } from "./import-file.ts";
import type { ImportMapping } from "./mapping.ts";
import { type ReadSettings, readFiles } from "./read-files.ts";
import { type Imported, rowsOfTable } from "./read-import.ts";
import { type Refusal, refusalOf, unreadable } from "./refusal.ts";

/** Maximum bytes of a row where no card says it. */
export const maxRowBytes = (kind: RowKind): number => (kind === "image" ? MAX_PICTURE_BYTES : MAX_ROW_BYTES);

const rowsOfKind = (kind: RowKind) => ({
  row: { kind, fields: [], maxBytes: maxRowBytes(kind) },
  labels: [],
});

/** Kinds of row by format. The others need a card, which says what their columns are. */
const KINDS: Partial<Readonly<Record<FileFormat, RowKind>>> = {
  json: "passage",
  jsonl: "passage",
  markdown: "passage",
  docx: "passage",
  pdf: "passage",
  image: "image",
  whole: "text",
  lines: "text",
  paragraphs: "text",
};

/**
 * Reads files as rows of a Datanet without a card. JSON and documents are passages, pictures are pictures, texts are texts.
 * @throws DNT_FILE_UNREADABLE for a table, and for labels, which no card lists
 */
export async function readWithoutCard(
  files: readonly ImportFile[],
  input: Partial<ImportMapping> = {},
  settings: ReadSettings = {},
): Promise<Omit<Imported, "mapping">> {
  const parts: Omit<Imported, "mapping">[] = [];
  const refused: Refusal[] = [];
  for (const file of files) {
    if (isSystemFile(file.name)) continue;
    try {
      parts.push(await readOne(file, input, settings));
    } catch (error) {
      refused.push(refusalOf(error, { file: file.name, line: 0 }));
    }
  }
  return {
    rows: parts.flatMap(({ rows }) => rows),
    labels: parts.flatMap(({ labels }) => labels),
    places: parts.flatMap(({ places }) => places),
    refused: [...refused, ...parts.flatMap((part) => part.refused)],
    unused: [...new Set(parts.flatMap(({ unused }) => unused))],
    notices: parts.flatMap(({ notices }) => notices),
    decisions: joinedQuestions(mergedDecisions(parts.flatMap(({ decisions }) => decisions))),
  };
}

async function readOne(
  file: ImportFile,
  input: Partial<ImportMapping>,
  settings: ReadSettings,
): Promise<Imported> {
  const format = requireFormat(file);
  const kind = KINDS[format];
  const position = { file: file.name, line: 0 };
  if (kind === undefined)
    throw unreadable(position, `a row of ${format} is what a card says, and there is none`);
  const table = await readFiles([file], settings);
  const hasLabels = table.columns.some(
    ({ missingCount, name }) => name === "label" && missingCount < table.records.length,
  );
  if (hasLabels && input.label !== null)
    throw unreadable(
      { ...position, field: "label" },
      "it has labels, and without a card there are none: name the card, or choose no column for the label",
    );
  return rowsOfTable(rowsOfKind(kind), table, input, settings.choices);
}
