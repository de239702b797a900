/** Types of Parquet that databases and data frames write: read with all digits, or refused by name. Files are made by hyparquet-writer. */
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import type { Choices } from "./decision.ts";
import { proposeCard } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";
import { rowsOfTable } from "./read-import.ts";

/** Made with DuckDB 1.5.6, without compression. */
const DUCKDB = {
  /** text, labels: [1], [0, 1], [-1], null, which the metadata of the library "datasets" names ham, spam. */
  lists:
    "UEFSMRUAFUYVRiwVCBUAFQYVBgAAAgAAAAgBAwAAAFN1bgQAAABSYWluAwAAAEZvZwMAAABJY2UVABV6FXosFQoVABUGFQYAACEAAABBBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAACAMCAAEAAAAAAAAAAQAAAP////8VAhlcNQAYDWR1Y2tkYl9zY2hlbWEVBAAVDCUCGAR0ZXh0JQAANQIYBmxhYmVscxUCFQYANQQYBGxpc3QVAgAVAiUCGAdlbGVtZW50JSIAFggZHBksJgAcFQwZFQAZGAR0ZXh0FQAWCBZoFmgmCDwYA1N1bhgDRm9nFgAoA1N1bhgDRm9nEREAAAAmABwVAhkVABk4BmxhYmVscwRsaXN0B2VsZW1lbnQVABYKFpwBFpwBJnA8GAQBAAAAGAT/////FgIoBAEAAAAYBP////8REQAAABaEAhYIJggWhAIAGRwYC2h1Z2dpbmdmYWNlGGl7ImluZm8iOnsiZmVhdHVyZXMiOnsibGFiZWxzIjp7ImZlYXR1cmUiOnsibmFtZXMiOlsiaGFtIiwic3BhbSJdLCJfdHlwZSI6IkNsYXNzTGFiZWwifSwiX3R5cGUiOiJMaXN0In19fX0AGChEdWNrREIgdmVyc2lvbiB2MS41LjYgKGJ1aWxkIDA2OWNjOWY5YjUpGSwcAAAcAAAAjQEAAFBBUjE=",
  /** A date, a moment without a zone, decimal(18, 3) and a moment of UTC; then infinite ones; then other years. */
  moments:
    "UEFSMRUAFSQVJCwVBhUAFQYVBgAAAgAAAAYBmUkAAP///39nCfr/FQAVPBU8LBUGFQAVBhUGAAACAAAABgGQmOChkMgFAP////////9/gEDX/ESIRgwVABVqFWosFQYVABUGFQYAACEAAABBAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADiBAAAAAAAAMQJAAAAAAAAFQAVahVqLBUGFQAVBhUGAAAhAAAAQQMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMjcoZDIBQABAAAAAAAAgBUCGVw1ABgNZHVja2RiX3NjaGVtYRUIABUCJQIYAWQlDAAVBCUCGAJ0cyUUTIwSHCwAAAAAABUEJQIYAW0lChUGFSQsXBUGFSQAAAAVBCUCGAJ0eiUUTIwRHCwAAAAAABYGGRwZTCYAHBUCGRUAGRgBZBUAFgYWRhZGJgg8GAT///9/GARnCfr/FgAoBP///38YBGcJ+v8REQAAACYAHBUEGRUAGRgCdHMVABYGFl4WXiZOPBgI/////////38YCJCY4KGQyAUAFgAoCP////////9/GAiQmOChkMgFABERAAAAJgAcFQQZFQAZGAFtFQAWBhaMARaMASasATwYCMQJAAAAAAAAGAjiBAAAAAAAABYCKAjECQAAAAAAABgI4gQAAAAAAAAREQAAACYAHBUEGRUAGRgCdHoVABYGFowBFowBJrgCPBgIAMjcoZDIBQAYCAEAAAAAAACAFgIoCADI3KGQyAUAGAgBAAAAAAAAgBERAAAAFrwDFgYmCBa8AwAoKER1Y2tEQiB2ZXJzaW9uIHYxLjUuNiAoYnVpbGQgMDY5Y2M5ZjliNSkZTBwAABwAABwAABwAAAC6AQAAUEFSMQ==",
} as const;

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]["schema"]>[number];
interface Column {
  readonly element: Omit<SchemaElement, "name">;
  readonly data: readonly unknown[];
}

function parquet(
  columns: Readonly<Record<string, Column>>,
  keyValues: Readonly<Record<string, object>> = {},
) {
  const entries = Object.entries(columns);
  const schema: SchemaElement[] = [
    { name: "root", num_children: entries.length },
    ...entries.map(([name, { element }]) => ({ repetition_type: "OPTIONAL" as const, ...element, name })),
  ];
  const content = parquetWriteBuffer({
    schema,
    columnData: entries.map(([name, { data }]) => ({ name, data: [...data] as unknown[] })),
    statistics: false,
    kvMetadata: Object.entries(keyValues).map(([key, value]) => ({ key, value: JSON.stringify(value) })),
  });
  return [{ name: "a.parquet", content: new Uint8Array(content) }];
}

const cells = async (files: ReturnType<typeof parquet>, column: string) =>
  (await readFiles(files)).records.map(({ values }) => {
    const cell = values.get(column) ?? null;
    return cell === null ? null : String(cell);
  });
const decimal = (precision: number, scale: number, rest: Partial<SchemaElement> = { type: "INT64" }) => ({
  converted_type: "DECIMAL" as const,
  ...{ precision, scale },
  ...rest,
});
const timestamp = (unit: "MILLIS" | "MICROS" | "NANOS", isAdjustedToUTC: boolean) => ({
  type: "INT64" as const,
  logical_type: { type: "TIMESTAMP" as const, isAdjustedToUTC, unit },
});
const STRING = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;

it("reads decimals with all their digits, whatever holds them", async () => {
  const fixed = { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16 } as const;
  const files = parquet({
    small: { element: decimal(9, 2, { type: "INT32" }), data: [1250n, null, -5n] },
    wide: { element: decimal(38, 6, fixed), data: [12345678901234567890123456n, -1000001n, null] },
    whole: { element: decimal(18, 0), data: [7n, -7n, 0n] },
    tiny: { element: decimal(18, 12), data: [1n, -999999999999n, 0n] },
  });
  expect(await cells(files, "small")).toEqual(["12.50", null, "-0.05"]);
  expect(await cells(files, "wide")).toEqual(["12345678901234567890.123456", "-1.000001", null]);
  expect(await cells(files, "whole")).toEqual(["7", "-7", "0"]);
  expect(await cells(files, "tiny")).toEqual(["0.000000000001", "-0.999999999999", "0.000000000000"]);
  // A number's field takes those that it holds, and refuses the others by their line.
  const fields = [{ name: "wide", type: "number" as const, description: "" }];
  const card = sampleCard({ row: { kind: "table", fields, maxBytes: 200 }, labels: [], examples: [] });
  const { refused, rows } = rowsOfTable(card, await readFiles(files));
  expect(rows.map((row) => new TextDecoder().decode(row))).toEqual(['{"wide":-1.000001}', '{"wide":null}']);
  expect(refused).toMatchObject([{ line: 1, unit: "row", field: "wide" }]);
});

it("adds no zone to moments without one, and writes those of any year", async () => {
  const data = [0n, 1_500_000n, -1n, 253_402_300_800_000_000n, -62_135_596_800_000_001n];
  const files = parquet({
    naive: { element: timestamp("MICROS", false), data },
    zoned: { element: timestamp("MICROS", true), data },
    nanos: { element: timestamp("NANOS", false), data: data.map((value) => value % 10n ** 15n) },
    millis: { element: timestamp("MILLIS", false), data: data.map((value) => value / 1_000n) },
  });
  const zoned = [
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:01.5Z",
    "1969-12-31T23:59:59.999999Z",
    "+010000-01-01T00:00:00Z",
    "0000-12-31T23:59:59.999999Z",
  ];
  expect(await cells(files, "zoned")).toEqual(zoned);
  expect(await cells(files, "naive")).toEqual(zoned.map((text) => text.replace("Z", "")));
  expect((await cells(files, "nanos")).slice(0, 3)).toEqual([
    "1970-01-01T00:00:00",
    "1970-01-01T00:00:00.0015",
    "1969-12-31T23:59:59.999999999",
  ]);
  expect((await cells(files, "millis"))[3]).toBe("+010000-01-01T00:00:00");
});

it("reads dates of any year, and refuses the row of an infinite one, not the file", async () => {
  const files = parquet({
    day: {
      element: { type: "INT32", converted_type: "DATE" },
      data: [18_841, 2_932_897, -719_528, 2_147_483_647, -2_147_483_647],
    },
    at: { element: timestamp("MICROS", false), data: [0n, 1n, 2n, 9_223_372_036_854_775_807n, 3n] },
    text: { element: STRING, data: ["a", "b", "c", "d", "e"] },
  });
  const table = await readFiles(files);
  expect(table.refused).toEqual([]);
  expect((await cells(files, "day")).slice(0, 3)).toEqual(["2021-08-02", "+010000-01-01", "0000-01-01"]);
  const fields = (["day", "at"] as const).map((name) => ({ name, type: "text" as const, description: "" }));
  const card = sampleCard({ row: { kind: "table", fields, maxBytes: 200 }, labels: [], examples: [] });
  const { refused, rows } = rowsOfTable(card, table);
  expect(rows).toHaveLength(3);
  expect(refused.map(({ line, why }) => [line, why])).toEqual([
    [4, '"day" is an infinite date'],
    [5, '"day" is an infinite date'],
  ]);
  // One infinite date does not make the column another: numbers of days hold the others.
  const proposed = proposeCard(table, "table").fields.find(({ name }) => name === "day");
  expect(proposed).toEqual({ name: "day", type: "number" });
});

it("leaves the index of a data frame out by the file's own metadata", async () => {
  const files = parquet(
    {
      text: { element: STRING, data: ["Sun all day", "Rain tonight"] },
      label: { element: STRING, data: ["good", "bad"] },
      __index_level_0__: { element: { type: "INT64" }, data: [7n, 3n] },
    },
    { pandas: { index_columns: ["__index_level_0__"] } },
  );
  const table = await readFiles(files);
  expect(table.columns.map(({ name }) => name)).toEqual(["text", "label"]);
  expect(table.decisions).toMatchObject([
    {
      kind: "columns-left-out",
      column: "__index_level_0__",
      cells: 2,
      taken: { name: "left-out" },
      isOpen: false,
    },
  ]);
  expect(proposeCard(table, null)).toMatchObject({ kind: "text", labels: ["good", "bad"] });
  const choices: Choices = { "columns-left-out:__index_level_0__": "field" };
  expect((await readFiles(files, { choices })).columns).toHaveLength(3);
});

it("refuses a column that no field holds by its name, before a Datanet is opened", async () => {
  const files = parquet({
    n: { element: { type: "INT64" }, data: [1n, 2n] },
    clock: {
      element: {
        type: "INT64",
        logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "MICROS" },
        converted_type: "TIME_MICROS",
      },
      data: [1n, 2n],
    },
  });
  const table = await readFiles(files);
  const proposal = proposeCard(table, null);
  expect(proposal.fields).toEqual([{ name: "n", type: "number" }]);
  expect(proposal.decisions).toMatchObject([
    { kind: "columns-left-out", column: "clock", taken: { text: expect.stringContaining("time of day") } },
  ]);
});

it("names the labels of a list of labels", async () => {
  const [table, moments] = await Promise.all(
    [DUCKDB.lists, DUCKDB.moments].map((text) =>
      readFiles([{ name: "a.parquet", content: Buffer.from(text, "base64") }]),
    ),
  );
  const card = sampleCard({
    row: { kind: "text", fields: [], maxBytes: 200 },
    labels: ["ham", "spam"].map((name) => ({ name, description: "" })),
    examples: [],
  });
  const { labels, refused } = rowsOfTable(card, table!, { label: "labels" });
  expect(labels).toEqual(["spam", null, null]);
  expect(refused).toMatchObject([{ line: 2, field: "labels" }]);
  // The same moments as another writer has them.
  expect(
    moments!.records.map(({ values }) => [...values.values()].map((cell) => String(cell ?? ""))),
  ).toEqual([
    ["2021-08-02", "2021-08-02T10:00:00.25", "1.250", "2021-08-02T10:00:00Z"],
    [expect.anything(), expect.anything(), "2.500", expect.anything()],
    ["0900-01-01", "+030000-02-03T04:05:06", "", ""],
  ]);
});
