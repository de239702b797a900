/** Rows of a version as Parquet, and a Croissant file that describes it. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Card } from "../card/card.ts";
import { type ExportColumn, type ExportedRow, type ExportType, exportColumns } from "./exported-rows.ts";

/** Types by column: what a writer guesses from the first values changes others. */
const PARQUET = {
  number: "DOUBLE",
  text: "STRING",
  boolean: "BOOLEAN",
  picture: "BYTE_ARRAY",
  messages: "JSON",
} as const;
/** Types of the library "datasets". */
const FEATURES: Readonly<Record<ExportType, object>> = {
  number: { dtype: "float64", _type: "Value" },
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

export interface CroissantFacts {
  readonly card: Pick<Card, "row" | "labels" | "name" | "description" | "licence" | "tags" | "languages">;
  readonly datanetId: number;
  readonly version: number;
  /** Root of the version's rows on the ledger, 0x-hex. */
  readonly rowsRoot: string;
  /** Address that the names in the file begin at: the Datanet at its host. */
  readonly url: string;
  readonly fileName: string;
  readonly parquet: Uint8Array;
}

const DATA_TYPES: Readonly<Record<ExportType, string>> = {
  number: "sc:Float",
  text: "sc:Text",
  boolean: "sc:Boolean",
  picture: "sc:ImageObject",
  messages: "sc:Text",
};

/** Writes a Croissant 1.1 file (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) beside the Parquet file. */
export function croissantOf({
  card,
  datanetId,
  fileName,
  parquet,
  rowsRoot,
  url,
  version,
}: CroissantFacts): string {
  const fieldOf = ({ description, name, type }: ExportColumn) => ({
    "@type": "cr:Field",
    "@id": `rows/${name}`,
    name,
    description,
    dataType: DATA_TYPES[type],
    source: { fileObject: { "@id": fileName }, extract: { column: name } },
  });
  const file = {
    "@context": { "@base": url.endsWith("/") ? url : `${url}/`, ...CONTEXT },
    "@type": "sc:Dataset",
    name: card.name,
    description: card.description,
    conformsTo: "http://mlcommons.org/croissant/1.1",
    license: card.licence,
    keywords: card.tags,
    inLanguage: card.languages,
    url,
    version: String(version),
    identifier: `Datanet ${datanetId}, rows root ${rowsRoot}`,
    distribution: [
      {
        "@type": "cr:FileObject",
        "@id": fileName,
        name: fileName,
        contentUrl: fileName,
        encodingFormat: "application/vnd.apache.parquet",
        sha256: bytesToHex(sha256(parquet)),
      },
    ],
    recordSet: [
      { "@type": "cr:RecordSet", "@id": "rows", name: "rows", field: exportColumns(card).map(fieldOf) },
    ],
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Terms of the format, as its specification lists them. */
const CONTEXT = {
  "@language": "en",
  "@vocab": "https://schema.org/",
  arrayShape: "cr:arrayShape",
  citeAs: "cr:citeAs",
  column: "cr:column",
  conformsTo: "dct:conformsTo",
  cr: "http://mlcommons.org/croissant/",
  data: { "@id": "cr:data", "@type": "@json" },
  dataBiases: "cr:dataBiases",
  dataCollection: "cr:dataCollection",
  dataType: { "@id": "cr:dataType", "@type": "@vocab" },
  dct: "http://purl.org/dc/terms/",
  extract: "cr:extract",
  field: "cr:field",
  fileObject: "cr:fileObject",
  fileProperty: "cr:fileProperty",
  fileSet: "cr:fileSet",
  format: "cr:format",
  includes: "cr:includes",
  isArray: "cr:isArray",
  isLiveDataset: "cr:isLiveDataset",
  jsonPath: "cr:jsonPath",
  key: "cr:key",
  md5: "cr:md5",
  parentField: "cr:parentField",
  path: "cr:path",
  personalSensitiveInformation: "cr:personalSensitiveInformation",
  recordSet: "cr:recordSet",
  references: "cr:references",
  regex: "cr:regex",
  repeated: "cr:repeated",
  replace: "cr:replace",
  sc: "https://schema.org/",
  separator: "cr:separator",
  source: "cr:source",
  subField: "cr:subField",
  transform: "cr:transform",
};
