/** Tests of the reading of people's files as rows with labels: tables, their mapping, and what is refused. */
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { describe, expect, it } from "vitest";
import { viewRow } from "../rows/row-view.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { Decisions } from "./decision.ts";
import { ImportBudget, type ImportFile } from "./import-file.ts";
import { readCsv, type Separator } from "./read-csv.ts";
import { readFiles } from "./read-files.ts";
import { readImport } from "./read-import.ts";

/** One row (stars 4.5, label good, text "Sun, all day"), packed by Snappy; made with hyparquet-writer. */
const PARQUET = [
  "UEFSMRUGFRQVGFwVAhUAFQIVABUEFQAAAAMBCBwAAAAAAAASQBUGFRQVGFwVAhUAFQIVABUEFQAAAAMBCBwEAAAAZ29vZBUG",
  "FSQVKFwVAhUAFQIVABUEFQAAAAMBEDwMAAAAU3VuLCBhbGwgZGF5FQQZTEgEcm9vdBUGABUKJQIYBXN0YXJzABUMJQIYBWxh",
  "YmVsJQAAFQwlAhgEdGV4dCUAABYCGRwZPCYIHBUKGRUAGRgFc3RhcnMVAhYCFj4WQiYIAAAmShwVDBkVABkYBWxhYmVsFQIW",
  "AhY+FkImSgAAJowBHBUMGRUAGRgEdGV4dBUCFgIWThZSJowBAAAWygEWAjbWAQAoCWh5cGFycXVldBk8HAAAHAAAHAAAAK8A",
  "AABQQVIx",
].join("");

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (rows: readonly Uint8Array[]) => rows.map((row) => new TextDecoder().decode(row));
const file = (name: string, content: string | Uint8Array): ImportFile => ({
  name,
  content: typeof content === "string" ? bytes(content) : content,
});
const fields = [
  { name: "text", type: "text", description: "" },
  { name: "label", type: "category", description: "" },
  { name: "stars", type: "number", description: "" },
] as const;
const tableCard = sampleCard({ row: { kind: "table", fields: [...fields], maxBytes: 200 } });
const textCard = sampleCard();
const passageCard = sampleCard({ row: { kind: "passage", fields: [], maxBytes: 200 } });
const unlabelled = sampleCard({
  row: { kind: "passage", fields: [], maxBytes: 200 },
  labels: [],
  examples: [],
});

const csv = (text: string, separator?: Separator) =>
  readCsv(text, "a.csv", separator === undefined ? {} : { separator }, {
    budget: new ImportBudget(),
    decisions: new Decisions(),
    labels: new Set(),
  });
const fieldsOf = ({ records }: ReturnType<typeof csv>) =>
  records.map(({ line, values }) => [line, ...values.values()]);

describe("CSV", () => {
  it("takes what RFC 4180 allows, with the line that each row begins on", () => {
    const read = csv('\ufeffa,b\r\n"x, ""y""\nz",\n,last\n"",0');
    expect(read.columns).toEqual(["a", "b"]);
    expect(fieldsOf(read)).toEqual([
      [2, 'x, "y"\nz', null],
      [4, null, "last"],
      [5, "", "0"],
    ]);
    expect(csv("")).toMatchObject({ columns: [], records: [] });
    // Spreadsheets end a file with blank lines.
    expect(fieldsOf(csv("a,b\r\n1,2\r\n\r\n\n"))).toEqual([[2, "1", "2"]]);
  });

  it("counts lines over quoted line ends, and knows an empty field in a line with quotes", () => {
    const read = csv('a,b,c\r\n"x\r\ny",,""\r\n1,"",\n"q",2,3');
    expect(fieldsOf(read)).toEqual([
      [2, "x\r\ny", null, ""],
      [4, "1", "", null],
      [5, "q", "2", "3"],
    ]);
    expect(() => csv('a,b\n"x\ny",1\n"z",c\rd\n')).toThrow(
      expect.objectContaining({ data: expect.objectContaining({ line: 4 }) }),
    );
  });

  it("finds the separator of a long file by its beginning", () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i};"a, b\n${i}"`);
    const { columns, records } = csv(`id;text\n${rows.join("\n")}\n`);
    expect(columns).toEqual(["id", "text"]);
    expect([records.length, records.at(-1)!.line]).toEqual([20_000, 40_000]);
  });

  it.each(["a,a\n1,2", "a, a\n1,2", 'a\n"b', 'a\n"b"c', 'a\nb"c', "a\rb"])("refuses %j", (text) => {
    expect(() => csv(text)).toThrow(expect.objectContaining({ code: "DNT_FILE_UNREADABLE" }));
  });

  it("refuses a line with another number of fields by itself", () => {
    const { records, refused } = csv("a,b\n1,2\n3\n\n4,5,6\n7,8\n9,10\n");
    expect(records.map(({ line }) => line)).toEqual([2, 6, 7]);
    expect(refused.map(({ line, why }) => [line, why.slice(0, 8)])).toEqual([
      [3, "1 fields"],
      [4, "1 fields"],
      [5, "3 fields"],
    ]);
  });

  it.each([
    // A last newline, two columns and few lines, by which papaparse 5.7.1 takes commas.
    ["id;text\n1;a\n2;b\n", ["id", "text"]],
    ['Klausel;Art\n"Haftung; nur bei Vorsatz";a\n"Preise, netto";b\n', ["Klausel", "Art"]],
    ["Name;Betrag\nMeier;12,50\nSchulz;7,00\n", ["Name", "Betrag"]],
    ["a\tb\n1,5\t2\n", ["a", "b"]],
    ["a|b\n1|2\n", ["a", "b"]],
    ["text\nSun, all day\nRain; then more, and more\n", ["text"]],
    ["sep=;\r\na;b\r\n1,2;3\r\n", ["a", "b"]],
    [",text\n0,Sun\n", ["column 1", "text"]],
  ])("finds the separator of %j", (text, columns) => {
    expect(csv(text).columns).toEqual(columns);
    expect(csv(text).refused).toEqual([]);
  });

  it("asks for the separator if two fit, and takes the one that is named", () => {
    // Nor is a table of many lengths a column of texts.
    expect(() => csv("a,b\n1,2,3\n4,5,6,7\n")).toThrow(/say which/);
    const text = "a,b;c\n1,2;3\n";
    expect(() => csv(text)).toThrow(/say which/);
    expect(csv(text, ";").columns).toEqual(["a,b", "c"]);
    expect(csv("sep=;\na;b\n1;2\n").records[0]!.line).toBe(3);
  });
});

describe("a table", () => {
  it("becomes the same row from JSON, JSON lines, CSV, TSV and Parquet", async () => {
    const row = '{"text":"Sun, all day","label":"good","stars":4.5}';
    const json = '{"stars": 4.5, "label": "good", "text": "Sun, all day"}';
    for (const one of [
      file("a.JSONL", `${json}\n\n`),
      file("a.json", `[\n  ${json}\n]`),
      file("lines.json", `${json}\n`.repeat(2)),
      file("a.csv", 'label,stars,text\r\ngood,4.5,"Sun, all day"\r\n'),
      file("a.tsv", "label\tstars\ttext\ngood\t4.5\tSun, all day\n"),
      file("a.parquet", Buffer.from(PARQUET, "base64")),
    ]) {
      const { refused, rows } = await readImport(tableCard, [one]);
      expect([texts(rows)[0], refused], one.name).toEqual([row, []]);
    }
  });

  it("is described by its columns: types and missing values", async () => {
    const lines = '{"a":1,"b":"x","c":true,"d":null}\n{"a":2.5,"b":null,"c":false,"e":[1],"d":null}\n';
    const { columns } = await readFiles([file("a.jsonl", lines)]);
    expect(columns.map(({ missingCount, name, type }) => [name, type, missingCount])).toEqual([
      ["a", "number", 0],
      ["b", "text", 1],
      ["c", "boolean", 0],
      ["d", "empty", 2],
      ["e", "list", 1],
    ]);
    const table = await readFiles([file("a.csv", "n;m;code;both\n12,5;1.5;0049;1\n-3;2;7;2,5\n")]);
    expect(table.columns.map(({ type }) => type)).toEqual(["number", "number", "text", "number"]);
  });

  it("takes columns by other names as they are mapped, and names those it lacks", async () => {
    const other = file("a.csv", "Category,Rating,Body\r\ngood,4.5,Sun\r\n");
    const columns = { label: "Category", stars: "Rating", text: "Body" };
    const { rows } = await readImport(tableCard, [other], { columns });
    expect(texts(rows)).toEqual(['{"text":"Sun","label":"good","stars":4.5}']);
    await expect(readImport(tableCard, [other])).rejects.toMatchObject({
      code: "DNT_FILE_UNREADABLE",
      data: { field: "stars" },
      message: expect.stringContaining('"Category", "Rating", "Body"'),
    });
    await expect(readImport(tableCard, [other], { columns: { ...columns, stars: "Stars" } })).rejects.toThrow(
      /no column "Stars"/,
    );
  });
});

describe("passages", () => {
  it("are written as language models read them, from every form of file", async () => {
    const row = encodeTextRow({ text: "Sun, all day" });
    for (const one of [
      file("a.jsonl", '{"id": 7, "text": "Sun, all day"}'),
      file("a.csv", 'text\n"Sun, all day"'),
      { ...file("a.txt", "Sun, all day\n"), format: "lines" as const },
      file("a.txt", "Sun, all day"),
    ])
      expect((await readImport(unlabelled, [one])).rows).toEqual([row]);
    const { rows } = await readImport(passageCard, [
      file("a.jsonl", '{"question": "Sun?", "answer": "All day"}'),
    ]);
    expect(viewRow(passageCard, rows[0]!)).toEqual({
      text: "Sun?\nAll day",
      isWellFormed: true,
    });
    expect(viewRow(passageCard, bytes('{"text": "Sun"}')).isWellFormed).toBe(false);
    await expect(readImport(passageCard, [file("a.jsonl", '{"prompt": "Sun?"}')])).rejects.toMatchObject({
      data: { field: "answer" },
    });
  });

  it("are the parts of a text between empty lines, with the lines they begin on", async () => {
    const text = {
      ...file("a.txt", "One\nand more\n\n \r\nTwo\n\n\nThree\n"),
      format: "paragraphs" as const,
    };
    const { places, rows } = await readImport(unlabelled, [text]);
    expect(texts(rows)).toEqual(['{"text":"One\\nand more"}', '{"text":"Two"}', '{"text":"Three"}']);
    expect(places.map(({ line }) => line)).toEqual([1, 5, 8]);
  });
});

describe("labels", () => {
  it("are beside the rows, by the column whose values are the card's labels", async () => {
    const read = await readImport(textCard, [
      file("a.csv", "sentence,kind,id\nSun,good,1\nRain,bad,2\nFog,,3\n"),
    ]);
    expect(texts(read.rows)).toEqual(["Sun", "Rain", "Fog"]);
    expect(read.labels).toEqual(["good", "bad", null]);
    expect(read.mapping.label).toBe("kind");
    expect(read.unused).toEqual(["id"]);
  });

  it("that the card does not have are refused by line, and the rest stays in order", async () => {
    const read = await readImport(textCard, [file("a.csv", "text,label\nSun,good\nRain,awful\nFog,bad\n")]);
    expect(texts(read.rows)).toEqual(["Sun", "Fog"]);
    expect(read.labels).toEqual(["good", "bad"]);
    expect(read.places.map(({ line }) => line)).toEqual([2, 4]);
    expect(read.refused).toEqual([
      { file: "a.csv", line: 3, unit: "line", field: "label", why: '"awful" is no label of the card' },
    ]);
    const without = await readImport(textCard, [file("a.csv", "text,label\nRain,awful\n")], { label: null });
    expect([without.labels, without.unused]).toEqual([[null], ["label"]]);
  });

  it("are one a row: a list of one is taken, one of several refused", async () => {
    const lines =
      '{"text":"a","label":["good"]}\n{"text":"b","label":["good","bad"]}\n{"text":"c","label":[]}\n';
    const { labels, refused } = await readImport(textCard, [file("a.jsonl", lines)]);
    expect(labels).toEqual(["good", null]);
    expect(refused).toMatchObject([{ line: 2, field: "label" }]);
  });
});

describe("a refusal", () => {
  it("names each record that cannot be read, and leaves the others", async () => {
    const read = async (one: ImportFile) => {
      const { refused, rows } = await readImport(tableCard, [one]);
      return [rows.length, ...refused.map(({ field, line }) => [line, field])];
    };
    const good = '{"text":"a","label":"good","stars":1}';
    expect(await read(file("a.jsonl", `${good}\n{"text":1.5}\nno\n7\n${good}`))).toEqual([
      2,
      [3, null],
      [4, null],
      [2, "text"],
    ]);
    expect(await read(file("a.csv", "text,label,stars\na,good,four\nb,good,1"))).toEqual([1, [2, "stars"]]);
    expect(await read(file("a.parquet", "PAR1 no file PAR1"))).toEqual([0, [0, null]]);
    expect(await read(file("a.json", good))).toEqual([0, [0, null]]);
    expect(await read(file("a.json", `[${good},{"text":1.5}]`))).toEqual([1, [2, "text"]]);
    const damaged = Uint8Array.of(0xc3, 0xa9, 0xc3, 0xa9, 0xff);
    expect(await read({ ...file("a.txt", damaged), format: "lines" })).toEqual([0, [1, null]]);
    const long = await readImport(unlabelled, [
      file("a.jsonl", `{"text":"${"x".repeat(200)}"}\n{"text":"b"}`),
    ]);
    expect([long.rows.length, long.refused[0]!.line]).toEqual([1, 1]);
  });

  it("is a file's own: the others are read", async () => {
    const { refused, rows } = await readImport(unlabelled, [
      file("a.xlsx", "PK"),
      file("b.jsonl", '{"text":"b"}'),
      file("c.csv", ""),
    ]);
    expect(rows.length).toBe(1);
    expect(refused.map(({ file: name, line }) => [name, line])).toEqual([
      ["a.xlsx", 0],
      ["c.csv", 0],
    ]);
  });

  it("comes before the work that a limit bounds", async () => {
    const one = file("a.jsonl", '{"text":"a"}\n{"text":"b"}\n');
    for (const limits of [{ bytes: 20 }, { records: 1 }, { columns: 0 }, { durationMs: -1 }]) {
      const { refused } = await readFiles([one], { limits });
      expect(refused, JSON.stringify(limits)).toMatchObject([
        { line: 0, why: expect.stringContaining("more than") },
      ]);
    }
  });
});
