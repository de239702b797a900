/**
 * Croissant 1.1 file beside a version's Parquet file (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html): what the
 * data set is, its file by hash, the columns with their types, and how it was made (responsible-ai.ts). croissant.test.ts holds
 * it against the specifications.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Card } from "../card/card.ts";
import { rowLicences } from "../papers/paper-words.ts";
import type { VersionFacts } from "../papers/version-facts.ts";
import { readLicence } from "../terms/spdx-expression.ts";
import { type ExportColumn, type ExportType, exportColumns, type NotedColumns } from "./exported-rows.ts";
import { RAI_CONFORMS_TO, responsibleAiOf } from "./responsible-ai.ts";

/** A Parquet file that a Croissant file describes. */
export interface DescribedParquet {
  readonly bytes: Uint8Array;
  readonly noted: NotedColumns;
}

export interface CroissantFacts {
  readonly card: Card;
  readonly datanetId: number;
  readonly version: number;
  /** Time of publication, in Unix milliseconds; null if the sequencer does not know it. */
  readonly publishedAtMs: number | null;
  /** Root of the version's rows on the ledger, 0x-hex. */
  readonly rowsRoot: string;
  /** Address of the Datanet at its host. */
  readonly url: string;
  readonly fileName: string;
  /** The file; null for rows that whoever writes may not read: its size, hash and columns of notes are left out. */
  readonly parquet: DescribedParquet | null;
  readonly facts: VersionFacts;
}

const DATA_TYPES: Readonly<Record<ExportType, string>> = {
  number: "sc:Float",
  integer: "sc:Integer",
  text: "sc:Text",
  boolean: "sc:Boolean",
  picture: "sc:ImageObject",
  messages: "sc:Text",
};

const NO_NOTES: NotedColumns = { hasFiles: false, names: [] };
const ROWS = "rows";
const LABELS = "labels";
/** Names are parts of addresses, which have neither spaces nor marks. */
const idOf = (...path: readonly string[]) => path.map(encodeURIComponent).join("/");

/** Writes the file's text. */
export function croissantOf(described: CroissantFacts): string {
  const { card, datanetId, facts, fileName, parquet, publishedAtMs, rowsRoot, url, version } = described;
  const file = {
    // Without a base: mlcroissant takes names that are relative to the file, as all its examples have them.
    "@context": CONTEXT,
    "@type": "sc:Dataset",
    name: card.name,
    description: card.description,
    conformsTo: ["http://mlcommons.org/croissant/1.1", RAI_CONFORMS_TO],
    license: licencesOf(described),
    creator: {
      "@type": "sc:Organization",
      name: `Contributors of Datanet ${datanetId}`,
      description: card.contact,
    },
    ...(publishedAtMs === null ? {} : { datePublished: new Date(publishedAtMs).toISOString() }),
    keywords: card.tags,
    inLanguage: card.languages,
    url,
    // Rows may have changed and gone: that is another major version.
    version: `${version}.0.0`,
    identifier: `Datanet ${datanetId}, rows root ${rowsRoot}`,
    distribution: [
      {
        "@type": "cr:FileObject",
        "@id": idOf(fileName),
        name: fileName,
        contentUrl: encodeURIComponent(fileName),
        // The registered type is application/vnd.apache.parquet, which no reader of Croissant knows.
        encodingFormat: "application/x-parquet",
        ...(parquet === null
          ? {}
          : { contentSize: `${parquet.bytes.length} B`, sha256: bytesToHex(sha256(parquet.bytes)) }),
      },
    ],
    recordSet: [rowsOf(described), ...(card.labels.length === 0 ? [] : [labelsOf(card)])],
    ...responsibleAiOf({ card, datanetId, facts }),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** One licence, or the list where rows have several. */
function licencesOf(described: CroissantFacts) {
  const all = [...new Set(rowLicences(described).map(({ licence }) => licence))].map(licenceOf);
  return all.length === 1 ? all[0] : all;
}

/** Address of a licence that SPDX lists; another one by its name. */
function licenceOf(licence: string) {
  if (/^https?:\/\//.test(licence)) return licence;
  const { expression, problem } = readLicence(licence);
  if (problem === null && expression?.kind === "listed")
    return `https://spdx.org/licenses/${expression.id}.html`;
  return { "@type": "sc:CreativeWork", name: licence };
}

/** Rows of the Parquet file, one a record. Their hashes differ. */
function rowsOf({ card, fileName, parquet }: CroissantFacts) {
  const columns = exportColumns(card, parquet?.noted ?? NO_NOTES);
  const hash = columns.find(({ role }) => role === "hash")!;
  const fieldOf = ({ description, name, role, type }: ExportColumn) => ({
    "@type": "cr:Field",
    "@id": idOf(ROWS, name),
    name,
    description,
    dataType: role === "label" ? [DATA_TYPES[type], "cr:Label"] : DATA_TYPES[type],
    source: {
      fileObject: { "@id": idOf(fileName) },
      extract: { column: name },
      // In Parquet a picture is bytes with a path.
      ...(type === "picture" ? { transform: { jsonPath: "bytes" } } : {}),
    },
    ...(role === "label" ? { references: { field: { "@id": idOf(LABELS, "name") } } } : {}),
  });
  return {
    "@type": "cr:RecordSet",
    "@id": ROWS,
    name: ROWS,
    description: "Rows of the version with their accepted labels.",
    key: { "@id": idOf(ROWS, hash.name) },
    field: columns.map(fieldOf),
  };
}

/** The card's labels: the file's label column has one of them, or none. */
function labelsOf({ labels }: CroissantFacts["card"]) {
  const [name, description] = [idOf(LABELS, "name"), idOf(LABELS, "description")];
  const fieldOf = (id: string, of: string, about: string) => ({
    "@type": "cr:Field",
    "@id": id,
    name: of,
    description: about,
    dataType: "sc:Text",
  });
  return {
    "@type": "cr:RecordSet",
    "@id": LABELS,
    name: LABELS,
    description: "Labels that a row may have.",
    dataType: "sc:Enumeration",
    key: { "@id": name },
    field: [fieldOf(name, "name", "the label"), fieldOf(description, "description", "what it stands for")],
    data: labels.map((label) => ({ [name]: label.name, [description]: label.description })),
  };
}

/**
 * Terms of appendix 1 of the specification. It has schema.org by http; mlcroissant and all its examples have it by https, and take
 * no data set of the other.
 */
const CONTEXT = {
  "@language": "en",
  "@vocab": "https://schema.org/",
  sc: "https://schema.org/",
  cr: "http://mlcommons.org/croissant/",
  rai: "http://mlcommons.org/croissant/RAI/",
  dct: "http://purl.org/dc/terms/",
  annotation: "cr:annotation",
  arrayShape: "cr:arrayShape",
  citeAs: "cr:citeAs",
  column: "cr:column",
  conformsTo: "dct:conformsTo",
  containedIn: "cr:containedIn",
  data: { "@id": "cr:data", "@type": "@json" },
  dataType: { "@id": "cr:dataType", "@type": "@vocab" },
  equivalentProperty: "cr:equivalentProperty",
  examples: { "@id": "cr:examples", "@type": "@json" },
  excludes: "cr:excludes",
  extract: "cr:extract",
  field: "cr:field",
  fileProperty: "cr:fileProperty",
  fileObject: "cr:fileObject",
  fileSet: "cr:fileSet",
  format: "cr:format",
  includes: "cr:includes",
  isArray: "cr:isArray",
  isLiveDataset: "cr:isLiveDataset",
  jsonPath: "cr:jsonPath",
  key: "cr:key",
  md5: "cr:md5",
  parentField: "cr:parentField",
  recordSet: "cr:recordSet",
  references: "cr:references",
  regex: "cr:regex",
  readLines: "cr:readLines",
  sdVersion: "cr:sdVersion",
  separator: "cr:separator",
  source: "cr:source",
  subField: "cr:subField",
  transform: "cr:transform",
  unArchive: "cr:unArchive",
  value: "cr:value",
};
