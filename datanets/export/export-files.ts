/** Files of a version's export by format; the export command and the pages' download write them. */
import { hex32 } from "@openledger/foundation/hex";
import type { Card } from "../card/card.ts";
import { type ExportedRow, jsonLinesOf, labelStudioOf } from "./exported-rows.ts";
import { croissantOf, parquetOf } from "./parquet-export.ts";

const ENDINGS = { parquet: "parquet", jsonl: "jsonl", "label-studio": "json" } as const;
export type ExportFormat = keyof typeof ENDINGS;

interface ExportFile {
  readonly name: string;
  /** Parts of the file, one after another. */
  readonly content: readonly (string | Uint8Array<ArrayBuffer>)[];
}

interface ExportFacts {
  readonly card: Card;
  readonly datanetId: number;
  readonly version: number;
  readonly rowsRoot: bigint;
  readonly rows: readonly ExportedRow[];
  /** Address of the host, which a Croissant file names. */
  readonly hostUrl: string;
  /** Name of the file; absent: by Datanet and version. */
  readonly name?: string | undefined;
}

/** Writes a version's rows in a format. Beside Parquet is a Croissant file. */
export async function exportFilesOf(facts: ExportFacts, format: ExportFormat): Promise<ExportFile[]> {
  const { card, datanetId, hostUrl, rows, rowsRoot, version } = facts;
  const { name = `datanet-${datanetId}-version-${version}.${ENDINGS[format]}` } = facts;
  if (format === "jsonl") return [{ name, content: jsonLinesOf(card, rows) }];
  if (format === "label-studio") return [{ name, content: [labelStudioOf(card, rows)] }];
  const parquet = await parquetOf(card, rows);
  const url = `${hostUrl.replace(/\/$/, "")}/v1/datanets/${datanetId}`;
  const croissant = croissantOf({
    card,
    datanetId,
    version,
    rowsRoot: hex32(rowsRoot),
    url,
    fileName: name,
    parquet,
  });
  return [
    { name, content: [parquet] },
    { name: `${name}.croissant.json`, content: [croissant] },
  ];
}
