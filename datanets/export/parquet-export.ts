/** Rows of a version as Parquet. The Croissant file beside it is in croissant.ts. */
import type { Card } from "../card/card.ts";
import { type ExportedRow, type ExportType, exportColumns } from "./exported-rows.ts";

/** Types by column: what a writer guesses from the first values changes others. */
const PARQUET = {
  number: "DOUBLE",
  integer: "INT32",
  text: "STRING",
  boolean: "BOOLEAN",
  picture: "BYTE_ARRAY",
  messages: "JSON",
} as const;
/** Types of the library "datasets". */
const FEATURES: Readonly<Record<ExportType, object>> = {
  number: { dtype: "float64", _type: "Value" },
  integer: { dtype: "int32", _type: "Value" },
  text: { dtype: "string", _type: "Value" },
  boolean: { dtype: "bool", _type: "Value" },
  picture: { _type: "Image" },
  // A list of objects as the text of its JSON.
  messages: { dtype: "string", _type: "Value" },
};

/** Writes Parquet with a type for each column, packed by Snappy; the library "datasets" finds its own types in the metadata. */
export async function parquetOf(
  card: Pick<Card, "row" | "labels">,
  rows: readonly ExportedRow[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const columns = exportColumns(card);
  const features = Object.fromEntries(columns.map(({ name, type }) => [name, FEATURES[type]]));
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: columns.map(({ name, type, read }) => ({
        name,
        type: PARQUET[type],
        data: rows.map(read),
      })),
      kvMetadata: [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  );
}
