/**
 * Croissant files against the specifications, 1.1 and RAI 1.0: expanded as JSON-LD by a library, with the context in the file, offline; each class
 * has its required properties, references lead to what is there, hashes and types are those of the Parquet file.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { parquetMetadataAsync, parquetSchema } from "hyparquet";
import jsonld from "jsonld";
import { describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import type { RecordBody } from "../records/record.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { sampleFacts } from "../testing/sample-facts.ts";
import { croissantFileOf } from "./croissant-file.ts";
import { exportFilesOf } from "./export-files.ts";
import type { ExportedRow } from "./exported-rows.ts";

const SC = "https://schema.org/";
const CR = "http://mlcommons.org/croissant/";
const RAI = "http://mlcommons.org/croissant/RAI/";
/** Table of RAI 1.0: each property with its cardinality. */
const RAI_PROPERTIES = {
  dataCollection: "ONE",
  dataCollectionType: "MANY",
  dataCollectionMissingData: "ONE",
  dataCollectionRawData: "ONE",
  dataCollectionTimeframe: "MANY",
  dataImputationProtocol: "ONE",
  dataManipulationProtocol: "ONE",
  dataPreprocessingProtocol: "MANY",
  dataAnnotationProtocol: "ONE",
  dataAnnotationPlatform: "MANY",
  dataAnnotationAnalysis: "MANY",
  dataReleaseMaintenancePlan: "MANY",
  personalSensitiveInformation: "MANY",
  dataSocialImpact: "ONE",
  dataBiases: "MANY",
  dataLimitations: "MANY",
  dataUseCases: "MANY",
  annotationsPerItem: "ONE",
  annotatorDemographics: "MANY",
  machineAnnotationTools: "MANY",
} as const;
const BASE = "https://host.example/v1/datanets/10/";
type Node = Readonly<Record<string, readonly unknown[]>> & {
  readonly "@id"?: string;
  readonly "@type"?: readonly string[];
};
interface Value {
  readonly "@value"?: unknown;
  readonly "@id"?: string;
}

const FIELDS = [
  { name: "label", type: "category", description: "A field of this name." },
  { name: "10", type: "number", description: "" },
  { name: "is open/é", type: "boolean", description: "Whether it is open." },
] as const;
const table = sampleCard({ row: { kind: "table", fields: [...FIELDS], maxBytes: 1_000 } });
const CARDS: readonly (readonly [string, Card, Uint8Array])[] = [
  ["a text", sampleCard(), Buffer.from("Sun")],
  [
    "a passage",
    sampleCard({ row: { kind: "passage", fields: [], maxBytes: 1_000 } }),
    Buffer.from('{"text":"Sun"}'),
  ],
  ["a table", table, encodeTableRow(FIELDS, ["Oslo", 1, true])],
  [
    "a picture",
    sampleCard({ row: { kind: "image", fields: [], maxBytes: 1_000 } }),
    Uint8Array.of(0xff, 0xd8, 0xff),
  ],
  ["a text without labels", sampleCard({ labels: [], licence: "our own terms" }), Buffer.from("Sun")],
];

const NAME = "clauses of May #1.parquet";
/** Two labels of a row. The second labeller saw a suggestion, and noted a person. */
const labelsOf = (row: string, of: string): RecordBody[] =>
  ([30, 31] as const).map((leafId, i) => ({
    kind: "label",
    datanetId: 10,
    leafId,
    atMs: 1,
    row,
    label: of,
    flags: i === 1 ? ["personal"] : [],
    note: "",
    ...(i === 1 ? { sawSuggestion: true } : {}),
  }));

/** The file and its Parquet file, as the export writes them. */
async function written(card: Card, content: Uint8Array, isLabelled = false) {
  const name = NAME;
  const digest = bytesToHex(sha256(content));
  const label = isLabelled ? card.labels[0]!.name : null;
  const rows: ExportedRow[] = [{ content, label, digest, contributorId: 8, validatorId: 20 }];
  const facts = {
    card,
    datanetId: 10,
    version: 2,
    publishedAtMs: Date.UTC(2026, 4, 1),
    rowsRoot: 7n,
    rows,
    facts: sampleFacts(card, rows, isLabelled ? labelsOf(digest, label!) : []),
    hostUrl: "https://host.example",
    name,
  };
  const [parquet, croissant] = await exportFilesOf(facts, "parquet");
  const text = String(croissant!.content[0]);
  const offline = (url: string): never => {
    throw new Error(`${url} was asked for: the context is in the file`);
  };
  // "safe" refuses what an expansion would drop: a property without a term, a reference that is no address.
  const options = {
    documentLoader: async (url: string) => offline(url),
    safe: true,
    // Names are relative to where the file is.
    base: BASE,
  } as jsonld.Options.Expand;
  const [dataset] = (await jsonld.expand(JSON.parse(text), options)) as unknown as Node[];
  return {
    dataset: dataset!,
    parquet: parquet!.content[0] as Uint8Array<ArrayBuffer>,
    name,
    file: JSON.parse(text),
  };
}

const one = (node: Node, property: string): Value => {
  const values = node[property] ?? [];
  expect(values.length, property).toBe(1);
  return values[0] as Value;
};
const text = (node: Node, property: string) => String(one(node, property)["@value"]);
const nodes = (node: Node, property: string) => (node[property] ?? []) as readonly Node[];

describe.each(CARDS)("the Croissant file of rows of kind %s", (_what, card, content) => {
  it("has the required properties of a data set", async () => {
    const { dataset } = await written(card, content);
    expect(dataset["@type"]).toEqual([`${SC}Dataset`]);
    const conforms = (dataset["http://purl.org/dc/terms/conformsTo"] as Value[]).map(
      (value) => value["@value"],
    );
    expect(conforms).toEqual(["http://mlcommons.org/croissant/1.1", `${RAI}1.0`]);
    expect(text(dataset, `${SC}name`)).toBe(card.name);
    expect(text(dataset, `${SC}description`)).toBe(card.description);
    expect(text(dataset, `${SC}url`)).toBe("https://host.example/v1/datanets/10");
    expect(text(dataset, `${SC}datePublished`)).toBe("2026-05-01T00:00:00.000Z");
    const [creator] = nodes(dataset, `${SC}creator`);
    expect(creator!["@type"]).toEqual([`${SC}Organization`]);
    expect(text(creator!, `${SC}name`)).toContain("10");
    // An address, or a work with a name.
    const licence = one(dataset, `${SC}license`) as Node & Value;
    if (card.licence === "CC-BY-4.0")
      expect(licence["@value"]).toBe("https://spdx.org/licenses/CC-BY-4.0.html");
    else
      expect([licence["@type"], text(licence, `${SC}name`)]).toEqual([[`${SC}CreativeWork`], card.licence]);
    expect(text(dataset, `${SC}version`)).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it("names the Parquet file by its hash and size", async () => {
    const { dataset, name, parquet } = await written(card, content);
    const [file, ...others] = nodes(dataset, `${SC}distribution`);
    expect([file!["@type"], others]).toEqual([[`${CR}FileObject`], []]);
    expect(text(file!, `${SC}name`)).toBe(name);
    expect(decodeURIComponent(text(file!, `${SC}contentUrl`))).toBe(name);
    expect(text(file!, `${SC}encodingFormat`)).toBe("application/x-parquet");
    expect(text(file!, `${SC}contentSize`)).toBe(`${parquet.length} B`);
    expect(text(file!, `${SC}sha256`)).toBe(bytesToHex(sha256(parquet)));
  });

  it("has a field for each column of the Parquet file, with its type and a source that is there", async () => {
    const { dataset, parquet } = await written(card, content);
    const [file] = nodes(dataset, `${SC}distribution`);
    const [rows] = nodes(dataset, `${CR}recordSet`);
    expect(rows!["@type"]).toEqual([`${CR}RecordSet`]);
    const fields = nodes(rows!, `${CR}field`);
    const columns = parquetSchema(await parquetMetadataAsync(parquet.buffer)).children.map(
      ({ element }) => element,
    );
    const columnOf = (field: Node) => {
      const source = nodes(field, `${CR}source`)[0]!;
      expect(one(source, `${CR}fileObject`)["@id"]).toBe(file!["@id"]);
      return text(nodes(source, `${CR}extract`)[0]!, `${CR}column`);
    };
    expect(fields.map(columnOf)).toEqual(columns.map(({ name }) => name));
    expect(fields.map((field) => text(field, `${SC}name`))).toEqual(columns.map(({ name }) => name));
    const TYPES: Readonly<Record<string, string>> = { DOUBLE: "Float", INT32: "Integer", BOOLEAN: "Boolean" };
    for (const [i, field] of fields.entries()) {
      expect(field["@type"]).toEqual([`${CR}Field`]);
      const { converted_type: converted, type } = columns[i]!;
      const isText = converted === "UTF8" || converted === "JSON";
      const expected = isText ? "Text" : (TYPES[type!] ?? "ImageObject");
      const types = (field[`${CR}dataType`] as readonly Value[]).map((value) => value["@id"]);
      expect(types[0], columns[i]!.name).toBe(SC + expected);
    }
  });

  it("has ids that are addresses, each once, and references that lead to them", async () => {
    const { dataset } = await written(card, content);
    const [found, named]: [string[], string[]] = [[], []];
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) for (const entry of value) visit(entry);
      if (typeof value !== "object" || value === null || Array.isArray(value)) return;
      const { "@id": id, ...others } = value as Node;
      if (id !== undefined) (Object.keys(others).length > 0 ? found : named).push(id);
      for (const [property, of] of Object.entries(others)) {
        if (property !== `${CR}dataType`) visit(of);
      }
    };
    visit(dataset);
    expect(new Set(found).size).toBe(found.length);
    for (const id of found) {
      expect(id.startsWith(BASE), id).toBe(true);
      expect(new URL(id).href).toBe(id);
    }
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((id) => !found.includes(id))).toEqual([]);
  });

  it("has a key of rows, and the card's labels as an enumeration that the label column refers to", async () => {
    const { dataset, file } = await written(card, content);
    const [rows, labels] = nodes(dataset, `${CR}recordSet`);
    const fields = nodes(rows!, `${CR}field`);
    const key = fields.find((field) => field["@id"] === one(rows!, `${CR}key`)["@id"])!;
    expect(text(key, `${SC}name`)).toBe("sha256");
    const typed = fields.filter((field) =>
      (field[`${CR}dataType`] as readonly Value[]).some((value) => value["@id"] === `${CR}Label`),
    );
    if (card.labels.length === 0) return void expect([labels, typed]).toEqual([undefined, []]);
    expect(one(labels!, `${CR}dataType`)["@id"]).toBe(`${SC}Enumeration`);
    const [name] = nodes(labels!, `${CR}field`);
    expect(text(name!, `${SC}name`)).toBe("name");
    expect(one(labels!, `${CR}key`)["@id"]).toBe(name!["@id"]);
    expect(typed.map((field) => one(nodes(field, `${CR}references`)[0]!, `${CR}field`)["@id"])).toEqual([
      name!["@id"],
    ]);
    // Each line of the data has exactly the fields, by their ids.
    const [, inFile] = file.recordSet;
    const ids = inFile.field.map((field: { "@id": string }) => field["@id"]);
    for (const line of inFile.data) expect(Object.keys(line)).toEqual(ids);
    expect(inFile.data.map((line: Record<string, string>) => line[ids[0]])).toEqual(
      card.labels.map((label) => label.name),
    );
  });

  it("has every property of RAI 1.0 with its cardinality and type, and says of each what is not known", async () => {
    const { dataset } = await written(card, content);
    const properties = Object.keys(dataset).filter((property) => property.startsWith(RAI));
    expect(properties.sort()).toEqual(
      Object.keys(RAI_PROPERTIES)
        .map((name) => RAI + name)
        .sort(),
    );
    for (const [name, cardinality] of Object.entries(RAI_PROPERTIES)) {
      const values = (dataset[RAI + name] as readonly Value[]).map((value) => value["@value"]);
      if (cardinality === "ONE") expect(values.length, name).toBe(1);
      for (const value of values) {
        expect(typeof value, name).toBe("string");
        expect(value, name).not.toMatch(/^\s*$|undefined|null|NaN|\[object/);
        if (name === "dataCollectionTimeframe") expect(new Date(String(value)).toISOString()).toBe(value);
      }
    }
    for (const name of ["dataSocialImpact", "dataCollectionRawData", "annotatorDemographics", "dataBiases"])
      expect(JSON.stringify(dataset[RAI + name]), name).toContain("Not known to the ledger");
  });
});

it("counts labels, labellers, suggestions and noted rows from the signed records", async () => {
  const { dataset } = await written(sampleCard(), Buffer.from("Sun"), true);
  const said = (name: keyof typeof RAI_PROPERTIES) =>
    (dataset[RAI + name] as readonly Value[]).map((value) => String(value["@value"])).join(" ");
  expect(said("annotationsPerItem")).toBe("2 to 2, 2.00 on average; the card asks for 2");
  expect(said("annotatorDemographics")).toContain("2 accounts labelled");
  expect(said("personalSensitiveInformation")).toContain("in 1 row of 1");
  expect(said("dataBiases")).toContain("good 100.0 % (1 of 1), bad 0.0 % (0 of 1)");
  expect(said("dataCollectionMissingData")).toBe("0 rows of 1 have no accepted label.");
  expect(said("dataCollectionTimeframe")).toBe("2026-04-01T00:00:00.000Z 2026-04-02T00:00:00.000Z");
  expect(said("dataAnnotationProtocol")).toContain("Say whether one would go out.");
});

it("leaves out size and hash of a file that its writer may not read, and time of commits that is not known", async () => {
  const card = sampleCard({ access: "permissioned" });
  const { name, text } = croissantFileOf(
    {
      card,
      datanetId: 10,
      version: 2,
      publishedAtMs: null,
      rowsRoot: 7n,
      facts: { ...sampleFacts(card, []), collected: null },
      hostUrl: "https://host.example/",
    },
    null,
  );
  expect(name).toBe("datanet-10-version-2.parquet.croissant.json");
  const file = JSON.parse(text);
  expect(Object.keys(file.distribution[0])).toEqual(["@type", "@id", "name", "contentUrl", "encodingFormat"]);
  expect([file.datePublished, file["rai:dataCollectionTimeframe"]]).toEqual([undefined, undefined]);
  expect(file["rai:dataLimitations"].join()).toContain("permissioned");
});

it("names signed reports of bias by their hashes, and the terms that contributors have signed", () => {
  const card = sampleCard({ terms: { contributors: "sign" } });
  const content = Buffer.from("Sun");
  const digest = bytesToHex(sha256(content));
  const rows: ExportedRow[] = [{ content, label: null, digest, contributorId: 8, validatorId: 20 }];
  const report = "ab".repeat(32);
  const facts = sampleFacts(card, rows, [], {
    reports: [{ sha256: report, modelId: null, signers: [10] }],
    terms: [{ datanet: 10, licence: "CC-BY-4.0", isSigned: true, rowCount: 1, firstRows: [digest] }],
  });
  const location = {
    datanetId: 10,
    version: 2,
    publishedAtMs: null,
    rowsRoot: 7n,
    hostUrl: "https://host.example",
  };
  const file = JSON.parse(croissantFileOf({ card, facts, ...location }, null).text);
  expect(file["rai:dataBiases"]).toContain(
    `Reports of bias by SHA-256, which the host of the Datanet has: ${report} of the version, signed by leaf 10.`,
  );
  expect(file["rai:dataUseCases"][1]).toBe(
    "Terms: each contributor signs them with each commit; no terms file. Rows under terms that their contributors have signed: 1 of 1 row: CC-BY-4.0 1.",
  );
});

it("has the licences that contributors have signed, whatever the present card says", () => {
  const card = sampleCard({ licence: "CC0-1.0", terms: { contributors: "sign" } });
  const rows: ExportedRow[] = ["Sun", "Rain"].map((text, i) => {
    const content = Buffer.from(text);
    const digest = bytesToHex(sha256(content));
    return { content, label: null, digest, contributorId: 8 + i, validatorId: 20 };
  });
  const licenceOf = (...licences: readonly string[]) => {
    const terms = licences.map((licence, i) => ({
      ...{ datanet: 10, licence, isSigned: true, rowCount: 1, firstRows: [rows[i]!.digest] },
    }));
    const facts = sampleFacts(card, rows, [], { terms });
    const position = { datanetId: 10, version: 2, publishedAtMs: null, rowsRoot: 7n };
    const file = croissantFileOf({ card, facts, ...position, hostUrl: "https://host.example" }, null);
    return JSON.parse(file.text).license;
  };
  const address = (id: string) => `https://spdx.org/licenses/${id}.html`;
  expect(licenceOf("CC-BY-NC-ND-4.0", "CC-BY-NC-ND-4.0")).toBe(address("CC-BY-NC-ND-4.0"));
  expect(licenceOf("CC-BY-NC-4.0", "cc-by-4.0")).toEqual([address("CC-BY-NC-4.0"), address("CC-BY-4.0")]);
  // Of the second row nobody has signed anything.
  expect(licenceOf("CC-BY-NC-4.0")).toEqual([address("CC-BY-NC-4.0"), address("CC0-1.0")]);
  expect(licenceOf("GPL-2.0-only OR LicenseRef-ours", "MIT")).toEqual([
    { "@type": "sc:CreativeWork", name: "GPL-2.0-only OR LicenseRef-ours" },
    address("MIT"),
  ]);
});
