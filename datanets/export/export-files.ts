/** Files of a version's export by format; the export command and the pages' download write them. */
import { hex32 } from "@openledger/foundation/hex";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import type { VersionFacts } from "../papers/version-facts.ts";
import { croissantOf } from "./croissant.ts";
import { type ExportedRow, jsonLinesOf, labelStudioOf } from "./exported-rows.ts";
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

interface ExportFacts {
  readonly card: Card;
  readonly datanetId: number;
  readonly version: number;
  /** Time of publication, in Unix milliseconds; null if it is not known. */
  readonly publishedAtMs: number | null;
  readonly rowsRoot: bigint;
  readonly rows: readonly ExportedRow[];
  /** What a Croissant file says of the version beside its rows. */
  readonly facts: VersionFacts;
  /** Address of the host, which a Croissant file names. */
  readonly hostUrl: string;
  /** Name of the file; absent: by Datanet and version. */
  readonly name?: string | undefined;
}

/** Name of a version's file, unless its writer chooses one. */
const fileNameOf = ({ datanetId, version }: Pick<ExportFacts, "datanetId" | "version">, ending: string) =>
  `datanet-${datanetId}-version-${version}.${ending}`;

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
  const croissant = croissantFileOf(facts, parquet);
  return [
    { name, content: [parquet] },
    { name: croissant.name, content: [croissant.text] },
  ];
}

/**
 * Writes the Croissant file of a version's Parquet file.
 * @param parquet the file's bytes; null for rows that the writer may not read
 */
export function croissantFileOf(
  facts: Omit<ExportFacts, "rows">,
  parquet: Uint8Array | null,
): { readonly name: string; readonly text: string } {
  const { card, datanetId, hostUrl, publishedAtMs, rowsRoot, version } = facts;
  const { name: fileName = fileNameOf(facts, ENDINGS.parquet) } = facts;
  const text = croissantOf({
    card,
    datanetId,
    version,
    publishedAtMs,
    rowsRoot: hex32(rowsRoot),
    url: `${hostUrl.replace(/\/$/, "")}/v1/datanets/${datanetId}`,
    fileName,
    parquet,
    facts: facts.facts,
  });
  return { name: `${fileName}.croissant.json`, text };
}
