/** Croissant files beside data: our own exports come back, and no file counts whose bytes are not the named ones. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { expect, it } from "vitest";
import { exportFilesOf } from "../export/export-files.ts";
import type { ExportedRow } from "../export/exported-rows.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { sampleFacts } from "../testing/sample-facts.ts";
import type { ImportFile } from "./import-file.ts";
import { readImport } from "./read-import.ts";

const card = sampleCard();
const utf8 = (text: string) => new TextEncoder().encode(text);
const contents = sampleRows(3);
const labels = ["good", "bad", null];
const rows = contents.map(
  (content, i): ExportedRow => ({
    content,
    label: labels[i]!,
    digest: bytesToHex(sha256(content)),
    contributorId: 8,
    validatorId: 20,
  }),
);

/** Export of the rows as a person has it: two files in a folder. */
async function exported(
  change: (croissant: Record<string, unknown>) => void = () => {},
): Promise<ImportFile[]> {
  const facts = {
    card,
    datanetId: 10,
    version: 2,
    publishedAtMs: null,
    rowsRoot: 7n,
    rows,
    facts: sampleFacts(card, rows),
    hostUrl: "https://host.example",
    name: "rows of May #1.parquet",
  };
  const [parquet, croissant] = await exportFilesOf(facts, "parquet");
  const file = JSON.parse(String(croissant!.content[0]));
  change(file);
  return [
    { name: `papers/${croissant!.name}`, content: utf8(JSON.stringify(file)) },
    { name: `papers/${parquet!.name}`, content: parquet!.content[0] as Uint8Array },
  ];
}
const entryOf = (file: Record<string, unknown>) => (file.distribution as Record<string, unknown>[])[0]!;

it("an export comes back by its Croissant file, to the byte, with its labels", async () => {
  const read = await readImport(card, await exported());
  expect(read.refused).toEqual([]);
  expect(read.rows).toEqual(contents);
  expect(read.labels).toEqual(labels);
  expect(read.notices).toEqual([
    'papers/rows of May #1.parquet.croissant.json: Croissant file of "Sentences about weather"; papers/rows of May #1.parquet has its SHA-256',
  ]);
});

it("a file with another SHA-256 makes no row", async () => {
  const files = await exported((file) => {
    entryOf(file).sha256 = "ab".repeat(32);
  });
  const read = await readImport(card, files);
  expect([read.rows, read.notices]).toEqual([[], []]);
  expect(read.refused).toMatchObject([
    { file: "papers/rows of May #1.parquet", why: expect.stringContaining("its SHA-256 is not the one") },
  ]);
});

it.each([
  ["whose file is not there", { contentUrl: "other.parquet" }, "not among the files"],
  ["that names no hash", { sha256: undefined }, "names no SHA-256"],
  ["of a set of files", { "@type": "cr:FileSet" }, "a set of files"],
  ["of a file in an archive", { containedIn: { "@id": "a.zip" } }, "in an archive"],
  ["whose file has no name", { contentUrl: "https://x.example/%" }, "no contentUrl"],
])("a Croissant file %s is refused by its name", async (_what, changed, why) => {
  const files = await exported((file) => void Object.assign(entryOf(file), changed));
  const read = await readImport(card, files);
  expect(read.refused).toMatchObject([
    { file: "papers/rows of May #1.parquet.croissant.json", why: expect.stringContaining(why) },
  ]);
});

it("a hub's own file, which names its repository, is none of the data and compares nothing", async () => {
  const [, data] = await exported();
  const hub = {
    "@context": { "@language": "en", "@vocab": "https://schema.org/" },
    "@type": "sc:Dataset",
    distribution: [
      {
        "@type": "cr:FileObject",
        "@id": "repo",
        name: "repo",
        contentUrl: "https://hub.example/datasets/owner/weather/tree/refs%2Fconvert%2Fparquet",
        encodingFormat: "git+https",
        sha256: "https://github.com/mlcommons/croissant/issues/80",
      },
      {
        "@type": "cr:FileSet",
        "@id": "parquet-files-for-config-default",
        containedIn: { "@id": "repo" },
        encodingFormat: "application/x-parquet",
        includes: "default/*/*.parquet",
      },
    ],
    recordSet: [],
    conformsTo: "http://mlcommons.org/croissant/1.1",
    name: "weather",
  };
  const read = await readImport(card, [
    { name: "papers/croissant.json", content: utf8(JSON.stringify(hub)) },
    data!,
  ]);
  expect([read.refused, read.rows]).toEqual([[], contents]);
  expect(read.notices).toEqual([
    'papers/croissant.json: Croissant file of "weather", which names a repository and no file\'s SHA-256: nothing is compared',
  ]);
});

it("other JSON stays data, or is refused as before", async () => {
  const [croissant] = await exported((file) => {
    file.conformsTo = "https://example.org/1";
  });
  const read = await readImport(card, [
    croissant!,
    { name: "rows.json", content: utf8('[{"text":"http://mlcommons.org/croissant/1.1","label":"good"}]') },
  ]);
  expect(read.rows).toEqual([utf8("http://mlcommons.org/croissant/1.1")]);
  expect(read.refused).toMatchObject([{ why: expect.stringContaining("it is one object") }]);
});

it("compares no file that is beyond the import's bytes, however often it is named", async () => {
  const [croissant, data] = await exported();
  const large = { ...data!, content: new Uint8Array(croissant!.content.length) };
  const read = await readImport(
    card,
    [croissant!, large],
    {},
    {
      limits: { bytes: 2 * croissant!.content.length - 1 },
    },
  );
  expect(read.rows).toEqual([]);
  // Once compared, it would be another file than the one that is named.
  expect(read.refused.map(({ file, why }) => [file, why])).toEqual([
    [large.name, expect.stringContaining("have more than")],
    [croissant!.name, expect.stringContaining("not among the files")],
  ]);
});
