/** Files of a version's export by format; the export command and the pages' download write them. */
import { datanetError } from "../datanet-errors.ts";
import { croissantFileOf, type DescribedVersion, fileNameOf } from "./croissant-file.ts";
import { type ExportedRow, jsonLinesOf, labelStudioOf, notedColumnsOf } from "./exported-rows.ts";
import { parquetOf } from "./parquet-export.ts";
import type { PictureTable } from "./picture-archive.ts";

/** Formats of an export. `images` is for rows of pictures alone. */
export const EXPORT_FORMATS = ["parquet", "jsonl", "label-studio", "images"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const ENDINGS = { parquet: "parquet", jsonl: "jsonl", "label-studio": "json", images: "zip" } as const;
/** Tables of the archives that these formats are, for rows of pictures. */
const PICTURE_TABLE: Partial<Readonly<Record<ExportFormat, PictureTable>>> = {
  images: "metadata.csv",
  "label-studio": "tasks.json",
};

interface ExportFile {
  readonly name: string;
  /** Parts of the file, one after another. */
  readonly content: readonly (string | Uint8Array<ArrayBuffer>)[];
}

interface ExportFacts extends DescribedVersion {
  readonly rows: readonly ExportedRow[];
}

/**
 * Writes a version's rows in a format. Beside Parquet is a Croissant file. Pictures are files in a zip file where tasks of Label
 * Studio, or a table, name them.
 * @throws DNT_EXPORT_FORMAT for `images` of rows that are no pictures
 */
export async function exportFilesOf(facts: ExportFacts, format: ExportFormat): Promise<ExportFile[]> {
  const { card, rows } = facts;
  const hasPictures = card.row.kind === "image";
  const table = hasPictures ? PICTURE_TABLE[format] : undefined;
  const ending = table === undefined ? ENDINGS[format] : "zip";
  const { name = fileNameOf(facts, ending) } = facts;
  if (table !== undefined) {
    const { pictureArchiveOf } = await import("./picture-archive.ts");
    return [{ name, content: [await pictureArchiveOf(card, rows, table)] }];
  }
  if (format === "images")
    throw datanetError("DNT_EXPORT_FORMAT", `rows of kind ${card.row.kind} are no pictures`, {
      data: { kind: card.row.kind, formats: EXPORT_FORMATS.filter((one) => one !== "images") },
    });
  if (format === "jsonl") return [{ name, content: jsonLinesOf(card, rows) }];
  if (format === "label-studio") return [{ name, content: [labelStudioOf(card, rows)] }];
  const parquet = await parquetOf(card, rows);
  const croissant = croissantFileOf(facts, { bytes: parquet, noted: notedColumnsOf(card, rows) });
  return [
    { name, content: [parquet] },
    { name: croissant.name, content: [croissant.text] },
  ];
}
