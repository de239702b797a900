/** Rows of a version as Parquet. The Croissant file beside it is in croissant.ts. */

import type { SchemaElement } from "hyparquet-writer";
import type { Card } from "../card/card.ts";
import {
  type ExportColumn,
  type ExportedRow,
  type ExportType,
  exportColumns,
  notedColumnsOf,
} from "./exported-rows.ts";
import { pictureNames } from "./picture-names.ts";

/** Types by column: what a writer guesses from the first values changes others. */
const PARQUET = {
  number: { type: "DOUBLE" },
  integer: { type: "INT32" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  boolean: { type: "BOOLEAN" },
  messages: { type: "BYTE_ARRAY", converted_type: "JSON" },
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
  const columns = exportColumns(card, notedColumnsOf(card, rows));
  const names = pictureNames(rows);
  const columnData = columns.map(({ name, read, type }) => ({
    name,
    data: rows.map((row, i) => {
      const value = read(row);
      return type === "picture" && value !== null ? { bytes: value, path: names[i]! } : value;
    }),
  }));
  const features = Object.fromEntries(columns.map(({ name, type }) => [name, FEATURES[type]]));
  return new Uint8Array(
    parquetWriteBuffer({
      columnData,
      schema: [{ name: "root", num_children: columns.length }, ...columns.flatMap(elementsOf)],
      kvMetadata: [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  );
}

/** Elements of a column in the schema. A picture is the struct that the library "datasets" takes for one. */
function elementsOf({ name, type }: ExportColumn): SchemaElement[] {
  if (type !== "picture") return [{ name, repetition_type: "OPTIONAL", ...PARQUET[type] }];
  return [
    { name, repetition_type: "OPTIONAL", num_children: 2 },
    { name: "bytes", repetition_type: "OPTIONAL", type: "BYTE_ARRAY" },
    { name: "path", repetition_type: "OPTIONAL", ...PARQUET.text },
  ];
}
