/**
 * Rules by which mlcroissant 1.1 takes a Croissant file, from its source at 401f6fff (python/mlcroissant/mlcroissant/_src): what its reader
 * refuses or passes over is none of ours. The package is Python's, so its rules stand here.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { sampleFacts } from "../testing/sample-facts.ts";
import { exportFilesOf } from "./export-files.ts";
import type { ExportedRow } from "./exported-rows.ts";

type Json = Readonly<Record<string, unknown>>;

/** core/constants.py, class EncodingFormat: what operations/read.py makes a table of. */
const ENCODING_FORMATS = [
  ...["text/csv", "text/tab-separated-values", "application/json", "application/jsonlines"],
  ...["application/x-parquet", "text/plain", "image/jpeg", "image/png", "image/tiff", "audio/mpeg"],
];
/** structure_graph/nodes/source.py, class Source: what names where a value is. `uuid` is the first that is there. */
const SOURCE_NAMES = ["field", "fileObject", "fileSet"];
/** core/data_types.py, EXPECTED_DATA_TYPES, and the semantic types of structure_graph/nodes/field.py. */
const DATA_TYPES = [
  ...["sc:Boolean", "sc:Date", "sc:DateTime", "sc:Float", "sc:Integer", "sc:Text", "sc:URL"],
  ...["sc:AudioObject", "cr:BoundingBox", "sc:ImageObject", "sc:VideoObject"],
];

const listOf = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? (value as Json[]) : value === undefined ? [] : [value as Json];
const idOf = (node: unknown) => (node as Json | undefined)?.["@id"] as string | undefined;

/** Returns what the reader would refuse or not see. */
function problemsOf(file: Json): string[] {
  const problems: string[] = [];
  const context = file["@context"] as Json;
  // core/json_ld.py: ids are cut behind the reader's own base, so keys of `data` differ from ids with another.
  if (context["@base"] !== undefined) problems.push("@context has a @base");
  if (context["@vocab"] !== "https://schema.org/") problems.push("schema.org by another address");
  const files = listOf(file.distribution);
  const recordSets = listOf(file.recordSet);
  const fields = recordSets.flatMap((set) => listOf(set.field));
  const ids = new Set([...files, ...recordSets, ...fields].map(idOf));
  for (const one of files) {
    // nodes/file_object.py, __post_init__
    if (!ENCODING_FORMATS.includes(String(one.encodingFormat))) problems.push(`format ${one.encodingFormat}`);
    if (one.contentUrl === undefined) problems.push("no contentUrl");
    if ((one.md5 === undefined) === (one.sha256 === undefined)) problems.push("neither md5 nor sha256");
  }
  for (const field of fields) {
    for (const property of ["source", "references"] as const)
      for (const source of listOf(field[property])) {
        const named = SOURCE_NAMES.map((name) => idOf(source[name])).find((id) => id !== undefined);
        if (named === undefined) problems.push(`${idOf(field)}: ${property} names nothing`);
        else if (!ids.has(named)) problems.push(`${idOf(field)}: ${named} is not there`);
      }
    const types = [field.dataType].flat().map(String);
    if (!types.some((type) => DATA_TYPES.includes(type))) problems.push(`${idOf(field)}: no type`);
  }
  for (const set of recordSets)
    for (const line of listOf(set.data)) {
      // nodes/record_set.py: "Line #… doesn't have the expected columns"
      const expected = listOf(set.field).map(idOf);
      if (JSON.stringify(Object.keys(line).sort()) !== JSON.stringify([...expected].sort()))
        problems.push(`${idOf(set)}: other columns than its fields`);
    }
  for (const id of ids) if (id === undefined || /\s/.test(id)) problems.push(`id "${id}"`);
  return problems;
}

const FIELDS = [{ name: "is open/é", type: "boolean", description: "" }] as const;
const CARDS: readonly (readonly [string, Card, Uint8Array])[] = [
  ["texts", sampleCard(), Buffer.from("Sun")],
  [
    "a table",
    sampleCard({ row: { kind: "table", fields: [...FIELDS], maxBytes: 1_000 } }),
    encodeTableRow(FIELDS, [true]),
  ],
  [
    "pictures",
    sampleCard({ row: { kind: "image", fields: [], maxBytes: 1_000 } }),
    Uint8Array.of(0xff, 0xd8, 0xff),
  ],
];

async function exported(card: Card, content: Uint8Array) {
  const digest = bytesToHex(sha256(content));
  const rows: ExportedRow[] = [{ content, label: null, digest, contributorId: 8, validatorId: 20 }];
  const facts = {
    ...{ card, rows, datanetId: 10, version: 2, publishedAtMs: 0, rowsRoot: 7n },
    facts: sampleFacts(card, rows),
    hostUrl: "https://host.example",
  };
  const [parquet, croissant] = await exportFilesOf(facts, "parquet");
  return {
    file: JSON.parse(String(croissant!.content[0])) as Json,
    parquet: parquet!.content[0] as Uint8Array<ArrayBuffer>,
  };
}

it.each(CARDS)(
  "a Croissant file of %s is taken, with each column that it names",
  async (_what, card, content) => {
    const { file, parquet } = await exported(card, content);
    expect(problemsOf(file)).toEqual([]);
    const buffer = parquet.buffer;
    const [row] = await parquetReadObjects({ file: buffer, utf8: false });
    const [rows] = listOf(file.recordSet);
    const columns = listOf(rows!.field).map((field) => ((field.source as Json).extract as Json).column);
    expect(columns).toEqual(Object.keys(row!));
    // operations/field.py, _cast_value: bytes alone are a picture, after the transforms.
    for (const field of listOf(rows!.field)) {
      const { extract, transform } = field.source as Readonly<Record<string, Json>>;
      const cell = row![String(extract!.column)] as unknown;
      const path = transform?.jsonPath;
      const value = path === undefined ? cell : (cell as Json)[String(path)];
      if (field.dataType === "sc:ImageObject") expect(value).toEqual(content);
      else expect(path).toBeUndefined();
    }
    // The rules see what they are for: each of these files was refused.
    const changed = (change: (copy: Record<string, unknown>) => void) => {
      const copy = structuredClone(file) as Record<string, unknown>;
      change(copy);
      return problemsOf(copy);
    };
    expect(
      changed((copy) => void Object.assign(copy["@context"] as object, { "@base": "https://x.example/" })),
    ).toEqual(["@context has a @base"]);
    const [data] = listOf(file.distribution);
    expect(
      changed(
        (copy) =>
          void Object.assign(copy, {
            distribution: [{ ...data, encodingFormat: "application/vnd.apache.parquet" }],
          }),
      ),
    ).toEqual(["format application/vnd.apache.parquet"]);
  },
);

it("pictures are the structs of bytes and path that the library datasets reads as pictures", async () => {
  const [, card, content] = CARDS[2]!;
  const { parquet } = await exported(card, content);
  const metadata = parquetMetadata(parquet.buffer);
  const { info } = JSON.parse(
    metadata.key_value_metadata!.find(({ key }) => key === "huggingface")!.value!,
  ) as { readonly info: { readonly features: Json } };
  expect(info.features.image).toEqual({ _type: "Image" });
  const image = metadata.schema.findIndex(({ name }) => name === "image");
  expect(metadata.schema.slice(image, image + 3)).toMatchObject([
    { name: "image", num_children: 2 },
    { name: "bytes", type: "BYTE_ARRAY" },
    { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8" },
  ]);
  const [row] = await parquetReadObjects({ file: parquet.buffer, utf8: false });
  expect(row!.image).toEqual({ bytes: content, path: "row-1.jpg" });
});
